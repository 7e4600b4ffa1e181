"""What becomes of rows on their way into files of requests: FAULTS.md 91, 92, 94."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pytest
from batch_bench import KEY, Bench, walk
from lane_bench import BY_ROW, GREET, task
from msgspec.structs import replace

from processor.batch.sharding import Sharding, ShardRules, Written
from processor.batch.until import Until
from processor.errors import UsageError
from processor.items import Item
from processor.ledger.pending import Pending
from processor.sending.terms import BatchTerms


def rows(count: int, **fields: object) -> Iterator[Pending]:
    for seq in range(1, count + 1):
        given = {"word": f"word{seq}", **fields}
        yield Pending(item=Item(seq=seq, id=str(seq), fields=given, chunk=1))


def shards(folder: Path, pending: Iterator[Pending], text: str, rules: ShardRules) -> list[Written]:
    sharding = Sharding(folder, task=task(text), pending=pending, rules=rules)
    found = []
    while (written := sharding.next()) is not None:
        found.append(written)
    assert not sharding.take_unsent()
    return found


def assert_files(found: Sequence[Written], sizes: Sequence[int]) -> None:
    """The shards have so many lines, and are what they say."""
    assert [len(shard.seqs) for shard in found] == sizes
    for shard in found:
        content = shard.path.read_bytes()
        assert len(content) == shard.bytes
        assert content.count(b"\n") == len(shard.seqs)


@pytest.mark.fault(91)
@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (49_999, [49_999]), (50_000, [50_000]), (50_001, [50_000, 1])],
)
def test_f91_a_shard_holds_fifty_thousand_rows(
    tmp_path: Path, count: int, sizes: list[int]
) -> None:
    assert_files(shards(tmp_path, rows(count), GREET, ShardRules()), sizes)


@pytest.mark.fault(91)
@pytest.mark.parametrize(("room", "sizes"), [(-1, [9, 1]), (0, [10]), (1, [10])])
def test_f91_a_shard_holds_so_many_bytes_and_not_one_more(
    tmp_path: Path, room: int, sizes: list[int]
) -> None:
    whole = shards(tmp_path, rows(10), GREET, ShardRules())[0].bytes
    rules = ShardRules(bytes_most=whole + room)
    assert_files(shards(tmp_path, rows(10), GREET, rules), sizes)


@pytest.mark.fault(91)
def test_f91_a_provider_that_takes_a_byte_less_is_told_of(tmp_path: Path) -> None:
    sizes = list[int]()

    async def measure(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0
        events = (await bench.admin("events"))["events"]
        sizes.extend(event["bytes"] for event in events if event["what"] == "file uploaded")

    async def fit(bench: Bench) -> None:
        assert (await bench.run()).exit_code == 0

    async def exceed(bench: Bench) -> None:
        report = await bench.run()
        assert (report.exit_code, report.snapshot.pending) == (3, 12)
        assert report.stop is not None
        assert report.stop.code == "too_large"
        assert (await bench.stats())["paid"] == 0

    for place, (visit, room) in enumerate([(measure, 1_000_000), (fit, 0), (exceed, -1)]):
        folder = tmp_path / str(place)
        folder.mkdir()
        walk(folder, visit, batch_file_bytes=max(sizes, default=0) + room)


@pytest.mark.fault(92)
def test_f92_each_model_has_shards_of_its_own(tmp_path: Path) -> None:
    models = ["gpt-6-luna", "gpt-6-sol", "gpt-6.1-terra"]
    mixed = (
        replace(
            pending,
            item=replace(
                pending.item,
                fields={**pending.item.fields, "model": models[place % 3], "heat": None},
            ),
        )
        for place, pending in enumerate(rows(30))
    )
    found = shards(tmp_path, mixed, BY_ROW, ShardRules(items_most=4))
    assert sorted(shard.model for shard in found) == sorted(models * 3)
    for shard in found:
        lines = [orjson.loads(line) for line in shard.path.read_bytes().splitlines()]
        assert {line["body"]["model"] for line in lines} == {shard.model}
    assert sorted(seq for shard in found for seq in shard.seqs) == list(range(1, 31))


@pytest.mark.fault(94)
def test_f94_batches_of_another_key_are_left_alone(tmp_path: Path) -> None:
    async def visit(bench: Bench) -> None:
        terms = BatchTerms(until=Until.SUBMITTED)
        assert (await bench.run(terms)).exit_code == 6
        before = await bench.stats()
        with pytest.raises(UsageError, match="1 of this run's batches were made with another key"):
            await bench.run(api_key="sk-of-somebody-else")
        assert (await bench.stats())["received"] == before["received"]
        assert (await bench.run(BatchTerms(new_account=True), api_key=KEY + "2")).exit_code == 0
        stats = await bench.stats()
        assert (stats["paid"], stats["by_route"]["POST /v1/batches"]) == (12, 1)

    walk(tmp_path, visit)
