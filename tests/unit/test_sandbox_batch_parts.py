"""The parts of the sandbox's batches that need no server."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import given, strategies as st

from processor.sandbox.batches.batch import Batch, Pace, Status
from processor.sandbox.batches.source import Source
from processor.sandbox.batches.spoilers import spoil
from processor.sandbox.faults.fault import parse_fault
from processor.sandbox.paging import read_page
from processor.sandbox.storage.files import StoredFile
from processor.sandbox.storage.folder import Storage

NOW_S = 1_795_000_000.0


def batch_of(total: int, in_progress_s: float, *faults: str) -> Batch:
    pace = Pace(
        validating_s=1,
        in_progress_s=in_progress_s,
        finalizing_s=1,
        cancelling_s=1,
        window_s=86_400,
    )
    return Batch(
        id="batch_1",
        created_s=NOW_S,
        endpoint="/v1/chat/completions",
        input_file_id="file-1",
        window="24h",
        pace=pace,
        output_id="file-2",
        error_id="file-3",
        output_life_s=3600,
        total=total,
        reached={Status.IN_PROGRESS: NOW_S + 1},
        faults=tuple(map(parse_fault, faults)),
    )


@given(
    total=st.integers(1, 100_000),
    in_progress_s=st.floats(0, 1e6),
    line=st.integers(1, 100_000),
)
def test_a_line_is_due_when_its_time_has_come_and_not_much_before(
    total: int, in_progress_s: float, line: int
) -> None:
    batch, line = batch_of(total, in_progress_s), min(line, total)
    due_s = batch.due_s(line)
    assert batch.lines_due(due_s + 1e-6) >= line
    step_s = in_progress_s / total
    if step_s > 1e-3:
        assert batch.lines_due(due_s - step_s / 2) == line - 1
    assert batch.lines_due(NOW_S + 1 + in_progress_s) == total
    assert batch.lines_due(float("1e12")) == total


@given(lines=st.lists(st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")), max_size=50))
def test_a_source_gives_every_line_once_and_always_in_the_same_order(lines: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "input"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        _check(path, lines)


def _check(path: Path, lines: list[bytes]) -> None:
    with Source(path, seed=7) as source:
        whole = source.lines(0, len(lines))
        assert sorted(whole) == sorted(line + b"\n" for line in lines)
        cut = random.Random(len(lines)).randint(0, len(lines))
        assert source.lines(0, cut) + source.lines(cut, len(lines)) == whole
    with Source(path, seed=7) as again:
        assert again.lines(0, len(lines)) == whole


def _written(folder: Path, *faults: str) -> tuple[bytes, bytes]:
    """What ten good lines and a bad one become."""
    output, errors = folder / "output", folder / "errors"
    good: list[dict[str, Any]] = [
        {"custom_id": f"c{n}", "response": {"body": {}}, "error": None} for n in range(10)
    ]
    output.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in good))
    errors.write_bytes(b'{"custom_id":"bad","response":null,"error":{"code":"x"}}\n')
    spoil(batch_of(11, 1, *faults), output, errors)
    assert {path.name for path in folder.iterdir()} == {"output", "errors"}
    return output.read_bytes(), errors.read_bytes()


def test_faults_of_a_file_are_applied_in_the_order_in_which_they_were_set(tmp_path: Path) -> None:
    whole, error = _written(tmp_path)
    assert whole.count(b"\n") == 10
    output, _ = _written(tmp_path, "lines_missing:lines=4", "lines_twice:lines=2")
    assert output.count(b"\n") == 8
    output, _ = _written(tmp_path, "lines_twice:lines=10", "lines_missing:lines=11")
    assert output.count(b"\n") == 9
    output, errors = _written(tmp_path, "lines_contradicted:lines=2", "crlf", "blank_lines")
    assert output == whole.replace(b"\n", b"\r\n\r\n")
    assert errors.count(b"\r\n\r\n") == 3
    assert errors.startswith(error[:-1])
    output, errors = _written(tmp_path, "cut_mid_line:bytes=3,file=both")
    assert (output, errors) == (whole[:-3], error[:-3])
    output, errors = _written(tmp_path, "empty_file:file=error", "cut_mid_line:bytes=99999")
    assert (output, errors) == (b"", b"")


@given(
    purposes=st.lists(st.sampled_from(["batch", "batch_output"]), max_size=12),
    limit=st.integers(1, 5),
    descending=st.booleans(),
    purpose=st.sampled_from([None, "batch"]),
)
def test_pages_give_every_file_once(
    purposes: list[str], limit: int, *, descending: bool, purpose: str | None
) -> None:
    storage = Storage(None)
    try:
        for number, kind in enumerate(purposes):
            # Two files in one second, and one that has expired.
            storage.files.add(_file(f"file-{number}", kind, NOW_S + number // 2, NOW_S + number))
        alive = [f"file-{number}" for number, _ in enumerate(purposes) if number > 3]
        wanted = [name for name in alive if purpose in (None, purposes[int(name[5:])])]
        found, after = list[str](), dict[str, str]()
        while True:
            query = {"limit": str(limit), "order": "desc" if descending else "asc", **after}
            page = read_page(query, most=10, default=10)
            files = storage.files.page(page, purpose, NOW_S + 3)
            found += [file.id for file in files[:limit]]
            if len(files) <= limit:
                break
            after = {"after": found[-1]}
        assert found == (wanted[::-1] if descending else wanted)
    finally:
        storage.close()


def _file(name: str, purpose: str, created_s: float, expires_s: float) -> StoredFile:
    return StoredFile(
        id=name,
        purpose=purpose,
        name="a.jsonl",
        bytes=1,
        created_s=created_s,
        expires_s=expires_s,
    )
