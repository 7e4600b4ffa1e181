"""The server of `monitor --web`: what it tells, to whom, and what of runs that are odd."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from ledger_parts import Table, failed, item, ledger_of, rules, settle, succeeded
from web_bench import Page, ask, served, small_run
from yarl import URL

from processor.exports import stats
from processor.ledger import database
from processor.watch import snapshot

RUN = "api/runs/run"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small run in a folder of its own; `runs/` is empty."""
    monkeypatch.chdir(tmp_path)
    return small_run(tmp_path / "elsewhere" / "run")


def test_the_figures_are_those_of_the_ledger(run: Path) -> None:
    async def main(page: Page) -> None:
        told = await page.get(RUN)
        assert told["stats"] == stats.as_json(snapshot.take(run))
        assert (told["name"], told["running"], told["points"]) == ("run", False, [])
        (line,) = await page.get("api/runs")
        assert line["folder"] == str(run)
        assert {name: line[name] for name in ("total", "finished", "failed", "task")} == {
            "total": 30,
            "finished": 13,
            "failed": 3,
            "task": "mathml",
        }
        assert line["state"] == told["state"]

    ask(run, main)


def test_all_runs_are_listed_by_names_of_their_own(run: Path, tmp_path: Path) -> None:
    usual = [small_run(tmp_path / "runs" / name) for name in ("run", "한글 %2f", "b")]

    async def main(page: Page) -> None:
        lines = {line["name"]: line["folder"] for line in await page.get("api/runs")}
        assert set(lines.values()) == {str(folder) for folder in (run, *usual)}
        assert lines["run"] == str(run)  # named before those that are found
        assert lines["run~2"] == str(usual[0])
        for name, folder in lines.items():
            assert (await page.get(f"api/runs/{quote(name)}"))["folder"] == folder

    ask(run, main)


def test_a_folder_whose_name_is_no_text_is_shown_all_the_same(run: Path, tmp_path: Path) -> None:
    name = "od\ufffdd"
    try:
        small_run(tmp_path / os.fsdecode(b"runs/od\xffd"))
    except OSError:  # a file system of text alone
        return

    async def main(page: Page) -> None:
        names = {line["name"] for line in await page.get("api/runs")}
        assert names == {"run", name}
        told = await page.get(f"api/runs/{quote(name)}")
        assert told["folder"].endswith("od?d")
        assert (await page.get(f"api/runs/{quote(name)}/items/1"))["item"]["id"] == "1"

    ask(run, main)


@pytest.mark.parametrize(
    "name", ["other", "..%2Felsewhere%2Frun", "%2e%2e", "%2Fetc", "run%2F..%2Frun", "run%00", "~"]
)
def test_no_name_leads_to_another_folder(run: Path, name: str) -> None:
    async def main(page: Page) -> None:
        for path in ("", "/events", "/items", "/items/1", "/orders"):
            status, _ = await page.refusal(f"api/runs/{name}{path}")
            assert status == 404

    ask(run, main)


def test_only_our_own_page_is_answered(run: Path) -> None:
    async def main(page: Page) -> None:
        port = page.url.rstrip("/").rpartition(":")[2]
        for path in ("", "assets/icon.svg", "api/runs", RUN, f"{RUN}/events", f"{RUN}/items"):
            for headers in (
                {"Host": "evil.example"},
                {"Host": f"evil.example:{port}"},
                {"Host": f"127.0.0.1.evil.example:{port}"},
                {"Host": "127.0.0.1"},
                {"Host": "127.0.0.1:1"},
                {"Origin": "http://evil.example"},
                {"Origin": "null"},
                {"Origin": "http://127.0.0.1:1"},
                {"Origin": f"https://127.0.0.1:{port}"},
                {"Origin": f"http://127.0.0.1:{port}@evil.example"},
            ):
                status, _ = await page.refusal(path, **headers)
                assert status == 403
            if path:
                for site in ("cross-site", "same-site"):
                    status, _ = await page.refusal(path, **{"Sec-Fetch-Site": site})
                    assert status == 403
        for headers in (
            {"Host": f"localhost:{port}"},
            {"Host": f"LOCALHOST:{port}"},
            {"Host": f"[::1]:{port}"},
            {"Origin": f"http://localhost:{port}", "Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none"},
        ):
            await page.get("api/runs", **headers)

    ask(run, main)


def test_an_order_needs_the_token(run: Path) -> None:
    async def main(page: Page) -> None:
        url = f"{page.url}{RUN}/control"
        token = await page.token()
        for told in ({}, {"X-Token": ""}, {"X-Token": token[:-1]}, {"X-Token": "é"}):
            async with page.http.post(url, json={"order": "pause"}, headers=told) as answer:
                assert answer.status == 403
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
            async with page.http.request(method, url) as answer:
                assert answer.status == 403
        async with served(run) as other:
            assert await other.token() != token

    ask(run, main)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"order": 1}', b"pause", b"\xff", b"[" * 20_000]
)
def test_what_is_no_order_is_refused(run: Path, body: bytes) -> None:
    async def main(page: Page) -> None:
        headers = {"X-Token": await page.token(), "Content-Type": "application/json"}
        url = f"{page.url}{RUN}/control"
        async with page.http.post(url, data=body, headers=headers) as answer:
            assert answer.status == 400
            assert "an order is sent as JSON" in (await answer.json())["error"]
        status, told = await page.order("run", "stop at once")
        assert status == 400
        assert told["error"].startswith("'stop at once' is no order. One of: pause, resume, ")
        status, told = await page.order("run", "pause")
        assert status == 400
        assert "nothing works on it" in told["error"]
        assert await page.get(f"{RUN}/orders") == []

    ask(run, main)


def test_every_answer_tells_a_browser_what_it_may_do(run: Path) -> None:
    async def main(page: Page) -> None:
        for path in ("", "assets/icon.svg", RUN, f"{RUN}/events", f"{RUN}/items/99", "no", "api/"):
            async with page.http.get(page.url + path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'self'; ")
                assert "frame-ancestors 'none'" in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                is_asset = path.startswith("assets/")
                usual = "no-cache" if is_asset else "no-store"
                assert answer.headers["Cache-Control"] == usual
                assert "Access-Control-Allow-Origin" not in answer.headers
                assert "Server" not in answer.headers

    ask(run, main)


def test_the_files_of_the_page_have_their_types(run: Path) -> None:
    async def main(page: Page) -> None:
        async with page.http.get(page.url) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "{{" not in await answer.text()
        async with page.http.get(f"{page.url}assets/icon.svg") as answer:
            assert answer.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
            known = answer.headers["ETag"]
        headers = {"If-None-Match": known}
        async with page.http.get(f"{page.url}assets/icon.svg", headers=headers) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        for name in ("index.html", "no.js", "..%2Fserve.py", "%2e%2e%2fguard.py", ".", ""):
            status, _ = await page.refusal(f"assets/{name}")
            assert status == 404

    ask(run, main)


@pytest.mark.parametrize(
    "query",
    [
        *("status=done", "after=x", "after=1.5", "most=0", "most=201", f"after={10**30}"),
        *("most=-1", "most=1_0", "after=١"),
    ],
)
def test_a_question_that_cannot_be_is_told(run: Path, query: str) -> None:
    async def main(page: Page) -> None:
        status, words = await page.refusal(f"{RUN}/items?{query}")
        assert status == 400
        assert query.split("=", maxsplit=1)[0] in words

    ask(run, main)


@pytest.mark.parametrize(
    "query",
    [
        *("text=%FF", "text=%ED%A0%80", "text=%00", "text=%5C%25_", "text=" + "x" * 5_000),
        *("code=%FF", "code=,,", "lane=%00%ED%A0%80", "text=%27%3B--", "text=%E2%80%AE", "a=b&&"),
    ],
)
def test_whatever_is_typed_is_looked_for(run: Path, query: str) -> None:
    async def main(page: Page) -> None:
        url = URL(f"{page.url}{RUN}/items?{query}", encoded=True)
        async with page.http.get(url) as answer:
            assert answer.status == 200
            assert (await answer.json())["complete"]

    ask(run, main)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
MATHML = f'<math><mi href="javascript:alert(1)">x</mi><mtext>{HOSTILE}</mtext></math>'.replace(
    "onerror=alert(1)>", 'onerror="alert(1)"/>'
).replace("src=x", 'src="x"')


@pytest.fixture
def odd_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run whose content is hostile, long, large and in pieces."""
    monkeypatch.chdir(tmp_path)
    rows: list[dict[str, object]] = [
        {"id": HOSTILE, "mathml": MATHML, "long": "가" * 30_000, "list": [HOSTILE], "none": None},
        {"id": 10**25, "mathml": "x", "long": 10**25, "list": 2**60, "none": True},
    ]
    with ledger_of(tmp_path / "run", 0) as ledger:
        ledger.set_meta(kind="latex")
        ledger.take_in(Table(rows), rules())
        settle(
            ledger.connection,
            succeeded(item(1), result=r"\frac{x}{2}", notes=(HOSTILE,)),
            failed(item(2), code="invalid", message=HOSTILE, body="b" * 30_000),
        )
    return tmp_path / "run"


def test_content_stays_text(odd_run: Path) -> None:
    async def main(page: Page) -> None:
        bad, good = (await page.get(f"{RUN}/items"))["items"]
        assert (good["id"], bad["id"]) == (HOSTILE, str(10**25))
        assert good["fields"]["list"] == f'["{HOSTILE}"]'
        assert good["fields"]["long"] == "가" * 80 + "…"
        assert bad["fields"] == {
            "id": str(10**25),
            "mathml": "x",
            "long": str(10**25),
            "list": str(2**60),
            "none": True,
        }
        story = await page.get(f"{RUN}/items/1")
        assert story["item"]["id"] == HOSTILE
        assert story["outcome"]["notes"] == [HOSTILE]
        assert story["source_field"] == "mathml"
        for drawn in (story["source_mathml"], story["result_mathml"]):
            assert drawn.startswith('<math xmlns="http://www.w3.org/1998/Math/MathML" ')
            for word in ("<script", "<img", "href", "onerror="):
                assert word not in drawn
        assert "<mfrac>" in story["result_mathml"]

    ask(odd_run, main)


def test_long_texts_are_cut_and_can_be_had_whole(odd_run: Path) -> None:
    async def main(page: Page) -> None:
        first, second = await page.get(f"{RUN}/items/1"), await page.get(f"{RUN}/items/2")
        assert first["item"]["fields"]["long"] == {"cut": "가" * 20_000 + "…", "chars": 30_000}
        assert second["outcome"]["body"] == {"cut": "b" * 20_000 + "…", "chars": 30_000}
        whole = await page.get(second["whole"].lstrip("/"))
        assert whole["outcome"]["body"] == "b" * 30_000
        whole = await page.get(first["whole"].lstrip("/"))
        assert whole["item"]["fields"]["long"] == "가" * 30_000

    ask(odd_run, main)


@pytest.mark.parametrize("seq", ["0", "3", "-1", "1.0", "x", "9" * 30, "%D9%A1"])
def test_there_is_no_such_item(odd_run: Path, seq: str) -> None:
    async def main(page: Page) -> None:
        status, words = await page.refusal(f"{RUN}/items/{seq}")
        assert status == 404
        assert "no item" in words

    ask(odd_run, main)


def damaged(path: Path) -> None:
    path.write_bytes(b"no ledger" * 1_000)


def older(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 4")


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damaged, "is damaged"),
        (older, "older processor (schema 4"),
        (newer, "newer processor (schema 99"),
    ],
)
def test_a_run_that_cannot_be_read_says_why(
    run: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(run / database.LEDGER_NAME)

    async def main(page: Page) -> None:
        for path in (RUN, f"{RUN}/items", f"{RUN}/items/1", f"{RUN}/orders"):
            status, told = await page.refusal(path)
            assert status == 503
            assert words in told
        (line,) = await page.get("api/runs")
        assert (line["state"], line["total"]) == ("unreadable", None)
        assert words in line["problem"]

    ask(run, main)


def test_a_run_whose_folder_is_gone_is_not_there(run: Path) -> None:
    async def main(page: Page) -> None:
        async with page.events("run") as events:
            await events.look()
            aside = move(run, "aside")
            await events.until(lambda event: event.kind == "gone")
        for path in (RUN, f"{RUN}/events"):
            status, words = await page.refusal(path)
            assert status == 404
            assert "there is no ledger" in words
        move(aside, "run")
        assert (await page.get(f"{RUN}/items"))["items"]

    ask(run, main)


def move(folder: Path, name: str) -> Path:
    return folder.rename(folder.with_name(name))
