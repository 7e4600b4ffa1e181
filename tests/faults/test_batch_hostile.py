"""A provider that says what it likes: FAULTS.md 95, 96 and everything that must not be believed."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from batch_bench import KEY, Bench, rows_in

from faults.hostile import Provider, Told, Visit, good, hostile_bench
from processor.batch.until import Until
from processor.sending.terms import BatchTerms

ROWS = 12
MARK = "\x1b[31mred\x07"


def visit(folder: Path, provider: Provider, what: Visit) -> None:
    async def main() -> None:
        async with hostile_bench(folder, provider, rows=ROWS) as bench:
            await what(bench, provider)

    asyncio.run(main())


def everything_written(folder: Path) -> bytes:
    """The names and contents of all that is below a folder."""
    found = sorted(folder.rglob("*"))
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in found)
    names = "\n".join(map(str, found)).encode()
    return names + b"\n".join(path.read_bytes() for path in found if path.is_file())


def assert_answered(results: Mapping[int, Any]) -> None:
    assert list(results) == list(range(1, ROWS + 1))
    for number, entry in results.items():
        assert entry["status"] == "success"
        assert entry["result"] == f"Say word{number}.."


def test_a_provider_without_malice(tmp_path: Path) -> None:
    async def what(bench: Bench, provider: Provider) -> None:
        assert (await bench.run(shard_size=5)).exit_code == 0
        assert_answered(bench.results())
        assert len(provider.batches) == 3

    visit(tmp_path, Provider(), what)


@pytest.mark.fault(96)
@pytest.mark.parametrize(
    "name",
    [
        "../../{}",
        "..%2f..%2f{}",
        "/etc/{}",
        "C:\\{}",
        "{}?x=1",
        "{}#x",
        "~{}",
        "-rf{}",
        "é{}",
        "%00{}",
        "{}" + "x" * 200,
    ],
)
def test_ids_that_look_like_paths_lead_out_of_no_folder(tmp_path: Path, name: str) -> None:
    async def what(bench: Bench, provider: Provider) -> None:
        report = await bench.run(shard_size=5, timeout_s=1, give_up_s=2)
        assert report.exit_code in {0, 3}
        if report.exit_code == 0:
            assert_answered(bench.results())
        assert len(provider.batches) <= 3

    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    visit(inner, Provider(name=lambda kind, number: name.format(f"{kind}{number}")), what)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


@pytest.mark.fault(96)
@pytest.mark.parametrize("name", ["a\nb{}", "a\r\nX-Y: z{}", "a b{}", MARK + "{}", "{}\u202e"])
def test_ids_with_line_ends_are_none(tmp_path: Path, name: str) -> None:
    async def what(bench: Bench, _: Provider) -> None:
        report = await bench.run(give_up_s=2, grace_s=1)
        assert (report.exit_code, report.snapshot.pending) == (3, ROWS)
        assert report.stop is not None
        assert report.stop.message.isprintable()

    visit(tmp_path, Provider(name=lambda kind, number: name.format(f"{kind}{number}")), what)
    assert name.format("batch1").encode() not in everything_written(tmp_path / "out")


@pytest.mark.fault(95, 96)
def test_words_of_a_provider_are_shown_in_a_line_and_quote_no_key(tmp_path: Path) -> None:
    def told(batch: Told, route: str, _: int) -> Told:
        words = f"{MARK}\nError: key {KEY}\r\n<script>"
        if route == "look":
            problem = {"code": f"x\n{KEY}", "message": words, "line": 3}
            batch |= {"status": "failed", "errors": {"data": [problem]}}
        return {**batch, "metadata": {words: words}}

    async def what(bench: Bench, provider: Provider) -> None:
        report = await bench.run()
        assert report.exit_code == 3
        assert report.stop is not None
        assert report.stop.message.isprintable()
        for notice in bench.notes.notices:
            assert KEY not in json.dumps(dict(notice.facts), default=str)
        assert KEY not in report.stop.message
        asked = json.dumps([batch["metadata"] for batch in provider.batches.values()])
        assert KEY not in asked

    visit(tmp_path, Provider(told=told), what)
    assert KEY.encode() not in everything_written(tmp_path)


@pytest.mark.fault(95)
def test_what_lies_beside_the_ledger_is_the_owner_s_alone(tmp_path: Path) -> None:
    async def what(bench: Bench, provider: Provider) -> None:
        def told(batch: Told, _: str, __: int) -> Told:
            folder = bench.out / "batches"
            assert folder.stat().st_mode & 0o077 == 0
            assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
            return batch

        provider.told = told
        assert (await bench.run()).exit_code == 0

    visit(tmp_path, Provider(), what)


def test_a_batch_that_goes_back_to_work_is_waited_for(tmp_path: Path) -> None:
    """Completed without a file, in progress again, completed with one."""

    def told(batch: Told, route: str, number: int) -> Told:
        if route != "look" or number > 6:
            return batch
        status = "completed" if number % 2 else "in_progress"
        return {**batch, "status": status, "output_file_id": None}

    async def what(bench: Bench, provider: Provider) -> None:
        assert (await bench.run(grace_s=600)).exit_code == 0
        assert_answered(bench.results())
        assert len(provider.batches) == 1

    visit(tmp_path, Provider(told=told), what)


def test_an_output_that_is_there_later_than_it_is_told_is_waited_for(tmp_path: Path) -> None:
    def told(batch: Told, route: str, number: int) -> Told:
        return {**batch, "output_file_id": None} if route == "look" and number < 8 else batch

    async def what(bench: Bench, provider: Provider) -> None:
        assert (await bench.run(grace_s=600)).exit_code == 0
        assert_answered(bench.results())
        assert len(provider.batches) == 1

    visit(tmp_path, Provider(told=told), what)


def test_a_list_that_tells_of_no_files_is_not_believed(tmp_path: Path) -> None:
    def told(batch: Told, route: str, _: int) -> Told:
        if route == "list":
            return {**batch, "status": "completed", "output_file_id": None}
        return batch

    async def what(bench: Bench, provider: Provider) -> None:
        assert (await bench.run(shard_size=3)).exit_code == 0
        assert_answered(bench.results())
        assert len(provider.batches) == 4

    visit(tmp_path, Provider(told=told), what)


def test_a_request_that_a_gateway_sends_twice_is_found_out(tmp_path: Path) -> None:
    async def what(bench: Bench, provider: Provider) -> None:
        def told(batch: Told, route: str, _: int) -> Told:
            if route == "create":
                provider.add(batch["input_file_id"], batch["metadata"])
            return batch

        provider.told = told
        assert (await bench.run()).exit_code == 0
        assert_answered(bench.results())
        assert len(provider.batches) == 2
        assert len(set(provider.cancelled)) == 1
        assert len(bench.told("batch_found")) == 1

    visit(tmp_path, Provider(), what)


def test_lines_of_other_rows_are_told_and_change_nothing(tmp_path: Path) -> None:
    """Each output has lines for the rows of the other shards, with answers that are not theirs."""

    def answer(lines: list[Told]) -> list[Told]:
        mine = [good(line) for line in lines]
        ids = {line["custom_id"] for line in lines}
        prefix = lines[0]["custom_id"].rstrip("0123456789")
        others = [f"{prefix}{n}" for n in range(ROWS + 3) if f"{prefix}{n}" not in ids]
        strange = [good({**lines[0], "custom_id": each}) for each in [*others, "", "x" * 999]]
        return [*strange, *mine, *strange]

    async def what(bench: Bench, provider: Provider) -> None:
        assert (await bench.run(shard_size=5)).exit_code == 0
        assert_answered(bench.results())
        assert len(provider.batches) == 3
        settled = bench.told("shard_settled")
        assert all(facts["foreign"] for facts in settled)
        assert sum(facts["answered"] for facts in settled) == ROWS

    visit(tmp_path, Provider(answer=answer), what)


def test_lines_of_every_wrong_kind_cost_no_other_row(tmp_path: Path) -> None:
    def answer(lines: list[Told]) -> list[Told]:
        wrong: list[Any] = [
            {"custom_id": None},
            {"custom_id": 3},
            {"custom_id": lines[0]["custom_id"], "response": []},
            {"custom_id": lines[1]["custom_id"], "response": {"status_code": "200", "body": 7}},
            {"custom_id": lines[2]["custom_id"], "response": None, "error": "no"},
            {"custom_id": lines[3]["custom_id"], "response": {"status_code": True, "body": {}}},
            {},
            {"error": {}},
        ]
        return [*wrong, *(good(line) for line in lines)]

    async def what(bench: Bench, _: Provider) -> None:
        assert (await bench.run()).exit_code == 0
        assert_answered(bench.results())
        (settled,) = bench.told("shard_settled")
        assert (settled["duplicates"], settled["unreadable"]) == (4, 4)

    visit(tmp_path, Provider(answer=answer), what)


def test_an_output_of_an_earlier_question_is_its_own(tmp_path: Path) -> None:
    """Rows that were added later are not answered by what an old batch of other rows holds."""

    async def what(bench: Bench, provider: Provider) -> None:
        assert (await bench.run()).exit_code == 0
        rows = [{"id": n, "word": f"word{n}."} for n in range(1, ROWS + 3)]
        path = bench.folder / "rows.jsonl"
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
        assert (await bench.run()).exit_code == 0
        results = bench.results()
        assert results[ROWS + 2]["result"] == f"Say word{ROWS + 2}.."
        first, second = provider.batches.values()
        assert provider.files[first["input_file_id"]] != provider.files[second["input_file_id"]]

    visit(tmp_path, Provider(), what)


def test_batches_of_other_people_are_left_alone(tmp_path: Path) -> None:
    """No batch says what it was made of; one is taken over for what its metadata says."""

    def told(batch: Told, _: str, __: int) -> Told:
        return {**batch, "input_file_id": None}

    async def what(bench: Bench, provider: Provider) -> None:
        file = provider.keep("theirs.jsonl", b"")
        theirs = [provider.add(file, metadata) for metadata in (None, {"sha256": "x"})]
        for batch in theirs:
            batch["status"] = "finalizing"
        assert (await bench.run(BatchTerms(until=Until.SUBMITTED))).exit_code == 6
        second = replace(bench, folder=bench.folder / "second")
        second.folder.mkdir()
        rows_in(second.folder, ROWS)
        assert (await second.run()).exit_code == 0
        assert_answered(second.results())
        assert len(provider.batches) == 3
        assert not provider.cancelled

    visit(tmp_path, Provider(told=told), what)
