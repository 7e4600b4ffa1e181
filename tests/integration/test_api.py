"""The engine as a program calls it, over a real socket."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pytest
from command_line import Shell

import processor
from processor import Outcome, Processor, ProcessorError, RunReport, StoppedError
from processor.api.options import Options
from processor.data.frames import FrameSource
from processor.errors import InputError

TASK = """\
name = "greet"
model = "gpt-6-luna"
prompt = "Greet {{ who }}."
"""
ROWS = [{"id": n, "who": f"guest {n}"} for n in range(1, 26)]
MANY = [{"id": n, "who": f"guest {n}"} for n in range(2_000)]


@pytest.fixture
def engine(shell: Shell) -> Processor:
    shell.write("task.toml", TASK)
    return Processor(base_url=shell.url, api_key="sk-test-of-the-api", concurrency=5)


def test_a_list(engine: Processor) -> None:
    report = engine.run_sync("task.toml", ROWS, out="out")
    assert isinstance(report, RunReport)
    assert (report.total, report.succeeded, report.failed, report.pending) == (25, 25, 0, 0)
    assert report.exit_code == 0
    rows = list(report.rows())
    assert [row["id"] for row in rows] == [row["id"] for row in ROWS]
    assert all("Greet guest" in row["result"] for row in rows)
    assert report.cost_usd is None  # of a server whose prices nobody knows
    told = "RunReport(folder='out', exit_code=0, succeeded=25, failed=0, pending=0)"
    assert repr(report) == told


def test_answers_are_measured(engine: Processor) -> None:
    rows = [{"id": n, "who": f"guest {n}", "host": f"host {n % 2}"} for n in range(25)]
    first = engine.run_sync("task.toml", rows, out="first")
    second = engine.run_sync("task.toml", rows[:-1], out="second")
    found = first.quality(group="host", against=second)
    assert found.counts.succeeded == 25
    assert found.separation is not None
    assert found.separation.groups == 2
    assert found.against is not None
    assert (found.against.both, found.against.only_first) == (24, 1)
    assert found.against.identical.value == 1
    with pytest.raises(ProcessorError, match="--group: the input has no column 'hots'"):
        first.quality(group="hots", against="second")


def test_the_same_folder_goes_on_with_what_is_new(engine: Processor, shell: Shell) -> None:
    engine.run_sync("task.toml", ROWS[:10], out="out")
    engine.run_sync("task.toml", ROWS, out="out")
    assert shell.stats()["paid"] == 25


def test_every_call_has_a_folder_of_its_own(engine: Processor, shell: Shell) -> None:
    folders = {engine.run_sync("task.toml", ROWS[:2]).folder for _ in range(2)}
    assert len(folders) == 2
    assert shell.stats()["paid"] == 4


def test_generators_of_both_kinds(engine: Processor) -> None:
    def made() -> Iterator[dict[str, Any]]:
        yield from ROWS

    async def made_later() -> AsyncIterator[dict[str, Any]]:
        for row in MANY[:1_200]:
            await asyncio.sleep(0)
            yield row

    assert engine.run_sync("task.toml", made()).succeeded == 25
    assert asyncio.run(engine.run("task.toml", made_later())).succeeded == 1_200


def test_a_table_by_its_name(engine: Processor, shell: Shell) -> None:
    name = shell.write("rows.csv", "id,who\n1,Ada\n2,Grace\n")
    report = engine.run_sync("task.toml", Path(name))
    assert report.succeeded == 2
    assert report.folder.name.startswith("greet-rows-")


def test_outcomes_as_they_come(engine: Processor) -> None:
    async def taken() -> list[Outcome]:
        return [outcome async for outcome in engine.stream("task.toml", ROWS, out="out")]

    seen = asyncio.run(taken())
    assert sorted(outcome.item.id for outcome in seen) == list(range(1, 26))
    assert all(outcome.accepted is not None for outcome in seen)
    assert asyncio.run(taken()) == []


def test_who_stops_taking_ends_the_run_and_nothing_is_lost(engine: Processor, shell: Shell) -> None:
    async def first() -> None:
        stream = engine.stream("task.toml", MANY, out="out")
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(first())
    assert shell.stats()["paid"] < len(MANY)
    report = engine.run_sync("task.toml", MANY, out="out")
    assert report.succeeded == len(MANY)
    assert shell.stats()["paid"] - len(MANY) <= report.figures.overall.requests_lost


def test_a_cancelled_run_is_resumable(engine: Processor) -> None:
    async def main() -> None:
        stream = engine.stream("task.toml", MANY, out="watched")
        work = asyncio.create_task(engine.run("task.toml", MANY, out="out"))
        await anext(aiter(stream))  # the other run has begun by then
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await stream.aclose()

    asyncio.run(main())
    assert engine.run_sync("task.toml", MANY, out="out").succeeded == len(MANY)


def test_inside_a_running_loop_as_in_a_notebook(engine: Processor) -> None:
    async def cell() -> RunReport:
        return engine.run_sync("task.toml", ROWS)

    assert asyncio.run(cell()).succeeded == 25


def test_a_frame_of_pandas_and_back(engine: Processor) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3],
            "who": ["Ada", "그레이스", "Joan"],
            "score": [1.5, math.nan, 3.0],
            "at": pd.to_datetime(["2026-01-02 03:04:05", None, "2026-01-03 00:00:00"]),
            "count": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    report = engine.run_sync("task.toml", frame)
    assert report.succeeded == 3
    back = report.frame()
    assert isinstance(back, pd.DataFrame)
    assert list(back["id"]) == [1, 2, 3]
    assert list(back["who"]) == list(frame["who"])
    assert list(back["at"].isna()) == [False, True, False]
    assert back["at"][0] == pd.Timestamp("2026-01-02 03:04:05")
    assert list(back["score"].isna()) == [False, True, False]
    assert back["count"].dtype == "Int64"
    assert isinstance(report.frame("polars"), pl.DataFrame)


def test_a_moment_with_a_zone_is_one_whatever_its_unit(engine: Processor) -> None:
    """As a moment without one, a database would leave the zone out."""
    at = pd.to_datetime(["2026-01-02 09:00"])
    frame = pd.DataFrame({"id": [1], "who": ["Ada"]})
    for unit in ("s", "us", "ns"):
        frame[unit] = at.as_unit(unit).tz_localize("Asia/Seoul")
        frame[f"bare_{unit}"] = at.as_unit(unit)
    (back,) = engine.run_sync("task.toml", frame).rows()
    for unit in ("s", "us", "ns"):
        assert back[unit] == datetime(2026, 1, 2, tzinfo=UTC)
        assert back[f"bare_{unit}"].isoformat() == "2026-01-02T09:00:00"
    kinds = {c.name: c.kind for c in FrameSource(frame=frame, library="pandas").columns()}
    assert [kinds[name] for name in ("s", "us", "ns")] == ["timestamptz"] * 3
    assert [kinds[f"bare_{name}"] for name in ("s", "us", "ns")] == ["timestamp"] * 3


def test_columns_of_one_name_are_refused(engine: Processor, shell: Shell) -> None:
    for names in (["id", "who", "who"], ["id", "1", 1, "who"]):
        frame = pd.DataFrame([range(len(names))], columns=names)
        with pytest.raises(InputError, match=r"more than one column named (who|1)"):
            engine.run_sync("task.toml", frame)
    rows: list[Any] = [{"id": 1, "who": "Ada", 1: "a", "1": "b"}]
    with pytest.raises(InputError, match="row 1: two of its names are the same"):
        engine.run_sync("task.toml", rows)
    assert shell.stats()["received"] == 0


def test_a_frame_of_polars_and_back(engine: Processor) -> None:
    frame = pl.DataFrame(
        {
            "id": ["a", "b"],
            "who": ["Ada", "Grace"],
            "when": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None],
            "price": [Decimal("12.50"), None],
            "tags": [["x", "y"], []],
            "ratio": [0.5, math.nan],
        }
    )
    back = engine.run_sync("task.toml", frame).frame()
    assert isinstance(back, pl.DataFrame)
    for name in ("id", "who", "when", "at", "price", "tags"):
        assert back[name].to_list() == frame[name].to_list()
    assert back["ratio"].to_list() == [0.5, None]


def test_values_of_any_kind_are_kept_as_text(engine: Processor) -> None:
    row = {
        "id": UUID(int=7),
        "who": "Ada",
        "price": Decimal("0.10"),
        "nested": {"when": date(2026, 1, 2)},
    }
    (back,) = engine.run_sync("task.toml", [row]).rows()
    assert back["id"] == str(row["id"])
    assert back["price"] == "0.10"
    assert back["nested"] == {"when": "2026-01-02"}


class _Mood(StrEnum):
    GLAD = "glad"


def test_values_of_numpy_and_pandas_in_plain_rows_are_numbers_and_texts(engine: Processor) -> None:
    row = {"id": np.int64(7), "who": np.str_("Ada"), "mood": _Mood.GLAD, "rank": np.float32(0.5)}
    row |= {"sure": np.bool_(True), "at": pd.NaT, "left": pd.NA, "share": np.float64(1.5)}
    row["grid"] = np.array([[1, 2], [3, 4]])
    kept = next(engine.run_sync("task.toml", [row], out="out").rows())
    assert {name: kept[name] for name in row} == {
        "id": 7, "who": "Ada", "mood": "glad", "rank": 0.5,
        "sure": True, "at": None, "left": None, "share": 1.5, "grid": [[1, 2], [3, 4]],
    }  # fmt: skip


def test_an_item_that_holds_itself_is_refused(engine: Processor, shell: Shell) -> None:
    row: dict[str, Any] = {"id": 1, "who": "Ada"}
    row["self"] = row
    with pytest.raises(InputError, match="row 1: is nested too deeply, or holds itself"):
        engine.run_sync("task.toml", [row], out="out")
    assert shell.stats()["received"] == 0


def test_a_stop_is_told_and_raised_where_nothing_else_tells_it(shell: Shell) -> None:
    shell.write("task.toml", TASK)
    wrong = Processor(base_url=shell.url, api_key="sk-test-of-the-api")
    shell.fault("bad_key")
    report = wrong.run_sync("task.toml", ROWS, out="out")
    assert (report.exit_code, report.pending) == (3, 25)
    with pytest.raises(StoppedError) as raised:
        report.raise_for_stop()
    assert raised.value.code == "auth"

    async def streamed() -> None:
        async for _ in wrong.stream("task.toml", ROWS, out="out"):
            pass

    with pytest.raises(StoppedError):
        asyncio.run(streamed())


@pytest.mark.parametrize("items", [{"id": 1}, 7, b"rows"], ids=["mapping", "number", "bytes"])
def test_what_has_no_rows_is_refused(engine: Processor, items: Any) -> None:
    with pytest.raises(ProcessorError, match="cannot be read"):
        engine.run_sync("task.toml", items)


@pytest.mark.parametrize("task", [None, {"name": "greet"}, 7])
def test_what_is_no_task_is_refused(engine: Processor, task: Any) -> None:
    with pytest.raises(ProcessorError, match="is no task"):
        engine.run_sync(task, ROWS)


@pytest.mark.parametrize(
    ("second", "problem"),
    [("y", "item 2 is of the type str"), ({"id": 2, "who": object()}, "row 2: .* object")],
)
def test_an_item_that_cannot_be_kept_is_refused(
    engine: Processor, second: Any, problem: str
) -> None:
    with pytest.raises(ProcessorError, match=problem):
        engine.run_sync("task.toml", [{"id": 1, "who": "x"}, second], out="out")
    assert not Path("out").exists()


def test_the_sandbox_needs_no_key(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shell.write("task.toml", TASK)
    report = Processor(sandbox=True).run_sync("task.toml", ROWS)
    assert report.succeeded == 25
    assert sum(row["cost_usd"] for row in report.rows()) == pytest.approx(
        Decimal(report.cost_usd or 0), abs=Decimal("1e-6")
    )


def test_the_sandbox_goes_with_no_other_address() -> None:
    with pytest.raises(ProcessorError, match="sandbox and base_url exclude each other"):
        Processor(sandbox=True, base_url="http://127.0.0.1:1").run_sync("mathml", ROWS)


def test_what_is_none_is_not_given(engine: Processor) -> None:
    nothing: dict[str, Any] = dict.fromkeys(Options.__annotations__)
    assert engine.run_sync("task.toml", ROWS[:1], **nothing).succeeded == 1


def test_the_public_names() -> None:
    assert sorted(processor.__all__) == list(processor.__all__)
    for name in processor.__all__:
        assert getattr(processor, name) is not None
    assert set(processor.__all__) <= set(dir(processor))
    with pytest.raises(AttributeError, match="Nothing"):
        processor.Nothing  # noqa: B018 - looking it up is the test
