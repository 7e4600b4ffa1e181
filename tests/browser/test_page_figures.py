"""What the page says is what the ledger says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from run_bench import Folder, folder_before

from browser.eyes import Eyes, figure, number
from browser.served import Served, served
from processor.exports import look as look_export
from processor.plan.prices import dollars
from processor.watch import look, snapshot
from processor.watch.snapshot import Snapshot

PRICE = ("--price", "0.05,0.4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, slow_sandbox_url: str) -> Iterator[Folder]:
    path = tmp_path_factory.mktemp("runs")
    with folder_before(slow_sandbox_url, path, rows=260) as folder:
        faults = ["content_filter:rate=0.05", "length:rate=0.03", "server_error:rate=0.03,times=1"]
        folder.admin("faults", {"set": faults})
        code, _, told = folder.run("--concurrency", "60", *PRICE, "--budget", "3", out="greetings")
        assert code == 2, told
        yield folder


@pytest.fixture(scope="module")
def server(folder: Folder) -> Iterator[Served]:
    with served(folder.path, "greetings") as server:
        yield server


@pytest.fixture
def page(eyes: Eyes, server: Served) -> Page:
    page = eyes.look(server.url)  # there is one run: it is shown
    expect(page.locator("#state")).to_have_text("Done")
    return page


@pytest.fixture
def shot(folder: Folder) -> Snapshot:
    return snapshot.take(folder.path / "greetings")


def test_the_figures_are_the_ledgers(page: Page, shot: Snapshot) -> None:
    assert shot.failed > 0
    assert shot.overall.retries > 0
    told = {
        name: number(page, name)
        for name in ("total", "finished", "succeeded", "failed", "pending", "requests_sent")
    }
    assert told == {
        "total": shot.total,
        "finished": shot.finished,
        "succeeded": shot.succeeded,
        "failed": shot.failed,
        "pending": shot.pending,
        "requests_sent": shot.overall.requests_sent,
    }
    assert shot.success_rate is not None
    assert figure(page, "success_rate") == f"{100 * shot.success_rate:.1f} %"
    assert shot.overall.cost_usd is not None
    assert figure(page, "cost") == dollars(shot.overall.cost_usd)
    assert shot.latency_ms.p50 is not None
    assert figure(page, "p50") == f"{shot.latency_ms.p50:.0f} ms"
    assert figure(page, "retries").startswith(f"{shot.overall.retries} retr")


def test_every_cause_is_there_with_its_number_and_remedy(page: Page, folder: Folder) -> None:
    causes = look.take(folder.path / "greetings").faults
    assert len(causes) > 1
    shown = page.locator("#faults > li")
    assert shown.count() == len(causes)
    for place, cause in enumerate(causes):
        text = shown.nth(place).inner_text()
        assert text.split("\n")[:2] == [cause.code, f"{cause.count:,}"]
        assert cause.means in text
        assert cause.remedy.replace("`", "") in text
        assert f"{cause.example_id}: " in text


def test_the_targets_are_those_of_every_display(page: Page, folder: Folder) -> None:
    told = look_export.as_json(look.take(folder.path / "greetings"))["targets"]
    shown = page.locator("#targets > li")
    assert [shown.nth(place).get_attribute("data-met") for place in range(3)] == [
        str(target["met"]).lower() for target in told
    ]
    assert [shown.nth(place).locator("span").nth(1).inner_text() for place in range(3)] == [
        target["name"] for target in told
    ]


def test_a_chart_is_read_point_by_point(page: Page, folder: Folder) -> None:
    points = [point for point in look.take(folder.path / "greetings").points if point.span_s > 0]
    chart = page.get_by_role("slider", name="Cost over time")
    chart.focus()
    for key, place in (("Home", 0), ("ArrowRight", 1), ("End", len(points) - 1)):
        chart.press(key)
        assert chart.get_attribute("aria-valuenow") == str(place + 1)
        words = chart.get_attribute("aria-valuetext") or ""
        cost_usd = points[place].cost_usd
        assert cost_usd is not None
        assert words.endswith(f": spent {dollars(cost_usd)}")
    # All charts are read at the same time of the run.
    assert page.locator(".hair line").count() == page.locator(".chart:visible").count()
    chart.press("Escape")
    assert page.locator(".hair line").count() == 0


def test_what_to_do_next_can_be_copied(page: Page, server: Served) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    step = page.locator("#steps li", has_text="Look at the failures")
    step.get_by_role("button").click()
    expect(step.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == step.locator("code").inner_text()
    assert Path(step.locator("code").inner_text()).name == "failed.csv"
