"""The page beside a run that works: what it shows, what it orders, and what it loses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from run_bench import Folder, folder_before

from browser.eyes import Eyes, number
from browser.served import served
from processor.ledger import control
from processor.ledger.control import Order
from processor.watch import look, snapshot
from processor.watch.look import State

SLOW = ("--concurrency", "4")  # of 300 ms: about 13 items a second


@pytest.fixture
def folder(tmp_path: Path, slow_sandbox_url: str) -> Iterator[Folder]:
    with folder_before(slow_sandbox_url, tmp_path, rows=400) as folder:
        yield folder


def begun(folder: Folder, *options: str) -> None:
    """A run that has its first answers."""
    folder.start(*SLOW, *options)
    folder.wait_for_answers(3)


def updates(page: Page) -> int:
    return int(page.locator("html").get_attribute("data-updates") or 0)


def test_updates_arrive_until_the_run_is_done(folder: Folder, eyes: Eyes) -> None:
    begun(folder)
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        expect(page.locator("#state")).to_have_text("Sending")
        expect(page.locator("#link")).to_have_text("live")
        first = number(page, "finished")
        folder.wait_for(lambda: number(page, "finished") > first)
        control.ask(folder.path / "out", Order.parse(["concurrency", "100"]))
        expect(page.locator("#state")).to_have_text("Done")
        assert number(page, "finished") == snapshot.take(folder.path / "out").finished == 400
        assert updates(page) > 2
        assert page.locator("#charts path.line").first.get_attribute("d")
        expect(page.locator("#control")).to_be_hidden()


def test_a_run_is_paused_goes_on_and_is_drained_by_buttons(folder: Folder, eyes: Eyes) -> None:
    begun(folder)
    with served(folder.path, "out") as server:
        out = folder.path / "out"
        page = eyes.look(server.page_of("out"))
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#state")).to_have_text("Paused")
        assert look.take(out).state is State.PAUSED
        expect(page.locator("#orders li").first).to_contain_text("pause")

        page.get_by_role("button", name="Adjust").click()
        page.get_by_label("Concurrency").fill("a few")
        page.get_by_label("Concurrency").press("Enter")
        expect(page.locator("#said")).to_contain_text("a whole number, or auto")
        page.get_by_label("Concurrency").fill("3")
        page.get_by_label("Concurrency").press("Enter")
        folder.wait_for(
            lambda: [order.words for order in look.take(out).orders][:1] == ["concurrency 3"]
        )
        expect(page.get_by_label("Concurrency")).to_have_attribute("placeholder", "3")

        page.get_by_role("button", name="Go on").click()
        expect(page.locator("#state")).to_have_text("Sending")

        page.get_by_role("button", name="Drain").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        assert control.answer_of(out, 4) is None  # it was only asked for
        page.get_by_role("button", name="Drain").click()
        page.get_by_role("dialog").get_by_role("button", name="Drain").click()
        expect(page.locator("#state")).to_contain_text("resumable")
        words = [order.words for order in look.take(out).orders]
        assert words == ["drain", "resume", "concurrency 3", "pause"]


def test_failed_items_are_sent_again_only_when_somebody_is_sure(folder: Folder, eyes: Eyes) -> None:
    folder.admin("faults", {"set": ["server_error:count=5"]})
    begun(folder, "--retries", "0", "--price", "0.05,0.4")
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        cause = page.locator("#faults li", has_text="server_error")
        cause.get_by_role("button", name="Send again").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Send 5 failed items with server_error again?")
        expect(dialog).to_contain_text("may cost about $0.0")
        page.keyboard.press("Enter")  # the careful answer has the focus
        expect(dialog).to_be_hidden()
        cause.get_by_role("button", name="Send again").click()
        dialog.get_by_role("button", name="Send again").click()
        expect(page.locator("#said")).to_contain_text("requeue server_error: ")
        expect(page.locator("#no-faults")).to_be_visible()
    (order,) = look.take(folder.path / "out").orders
    assert (order.words, order.accepted) == ("requeue server_error", True)


def test_where_events_do_not_get_through_looks_are_fetched(folder: Folder, eyes: Eyes) -> None:
    folder.rows(5)
    assert folder.run()[0] == 0
    eyes.forgiven = ["error: Failed to load resource: net::ERR_FAILED"]
    with served(folder.path, "out") as server:
        page = eyes.look(server.url + "#/")
        expect(page.locator("#run-list li")).to_have_count(1)
        page.route("**/events*", lambda route: route.abort())
        page.goto(server.page_of("out"))
        expect(page.locator("#link")).to_have_text("live, every 2 s")
        assert number(page, "finished") == 5


def test_a_killed_run_says_so_within_five_seconds_with_its_command(
    folder: Folder, eyes: Eyes
) -> None:
    begun(folder)
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        expect(page.locator("#state")).to_have_text("Sending")
        folder.started[-1].kill()
        expect(page.locator("#state")).to_have_text("Not running, resumable", timeout=5_000)
        step = page.locator("#steps li", has_text="pending")
        command = step.locator("code").inner_text()
        assert command.startswith("processor run --task greet.toml --input rows.jsonl")
        told = look.take(folder.path / "out").shot.command
        assert told is not None
        assert told.endswith(f" && {command}")  # who is elsewhere must go there first
        expect(step.get_by_role("button", name="Copy")).to_be_visible()


def test_a_lost_server_is_told_and_found_again(folder: Folder, eyes: Eyes) -> None:
    folder.rows(5)
    assert folder.run()[0] == 0
    eyes.forgiven = ["error: Failed to load resource: net::ERR_"]
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        expect(page.locator("#link")).to_have_text("live")
        server.end()
        expect(page.locator("#link")).to_have_text("server lost, trying again")
        expect(page.get_by_role("alert")).to_contain_text("processor monitor --web")
        assert number(page, "finished") == 5  # what was known stays
    with served(folder.path, "out", port=server.port):
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.locator("#link")).to_contain_text("live")


def test_a_page_goes_on_with_a_server_that_was_started_anew(folder: Folder, eyes: Eyes) -> None:
    begun(folder)
    eyes.forgiven = ["error: Failed to load resource: "]
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        expect(page.locator("#link")).to_have_text("live")
        server.end()
        expect(page.locator("#link")).to_have_text("server lost, trying again")
    with served(folder.path, "out", port=server.port):
        expect(page.locator("#link")).to_contain_text("live")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#state")).to_have_text("Paused")


def test_nothing_of_a_run_stays_when_another_takes_its_place(folder: Folder, eyes: Eyes) -> None:
    folder.rows(60)
    assert folder.run("--concurrency", "60")[0] == 0
    eyes.forgiven = ["error: Failed to load resource: "]
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        page.get_by_role("button", name="More", exact=True).click()
        rows = page.locator("#items tbody tr")
        expect(rows).to_have_count(60)
        rows.nth(7).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        folder.rows(5)
        assert folder.run("--new")[0] == 0
        expect(rows).to_have_count(5)
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.locator('[data-figure="finished"]')).to_have_text("5")


def test_items_that_were_sent_again_are_read_again(folder: Folder, eyes: Eyes) -> None:
    folder.admin("faults", {"set": ["server_error:count=3"]})
    begun(folder, "--retries", "0")
    out = folder.path / "out"
    with served(folder.path, "out") as server:
        page = eyes.look(server.page_of("out"))
        page.locator("#status").select_option("failed")
        rows = page.locator("#items tbody tr")
        expect(rows).to_have_count(3)
        rows.last.click()
        sheet = page.get_by_role("dialog")
        expect(sheet.locator(".badge")).to_have_text("failed")
        for words in ("requeue", "concurrency 100"):
            control.ask(out, Order.parse(words.split()))
        expect(sheet.locator(".badge")).to_have_text("succeeded")
        expect(sheet.locator(".calls > li")).to_have_count(2)
        page.keyboard.press("Escape")
        expect(page.locator("#items-said")).to_have_text("No item is like that.")


def test_several_runs_are_cards_that_lead_to_each(folder: Folder, eyes: Eyes) -> None:
    folder.rows(5)
    for name in ("one", "two"):
        code, _, told = folder.run(out=name)
        assert code == 0, told
    with served(folder.path, "one", "two") as server:
        page = eyes.look(server.url)
        cards = page.locator("#run-list > li")
        expect(cards).to_have_count(2)
        expect(cards.first).to_contain_text("5 of 5")
        page.get_by_role("link", name="one Done").click()
        expect(page.get_by_role("heading", name="one", exact=True)).to_be_visible()
        page.get_by_label("Run", exact=True).select_option("two")
        expect(page.get_by_role("heading", name="two", exact=True)).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="one", exact=True)).to_be_visible()
