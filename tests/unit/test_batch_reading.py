"""What servers say of files and batches, however they say it."""

from typing import Any

import pytest

from processor.batch.reading import batch_of, file_of, hides_error, json_of, page_of
from processor.batch.remote_values import Problem, RemoteBatch, RemoteFile

UUID = "6f1d2c1e-0f5b-4a39-9b5c-1d2f3a4b5c6d"
OPENAI = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "model": "gpt-6-luna",
    "errors": None,
    "input_file_id": "file-in",
    "completion_window": "24h",
    "status": "completed",
    "output_file_id": "file-out",
    "error_file_id": "file-err",
    "created_at": 1_795_000_000,
    "completed_at": 1_795_003_600,
    "request_counts": {"total": 3, "completed": 2, "failed": 1},
    "metadata": {"run": "r1"},
}


def test_a_batch_of_openai() -> None:
    assert batch_of(OPENAI) == RemoteBatch(
        id="batch_1",
        status="completed",
        endpoint="/v1/chat/completions",
        input_file_id="file-in",
        output_file_id="file-out",
        error_file_id="file-err",
        total=3,
        completed=2,
        failed=1,
        created_at=1_795_000_000.0,
        ended_at=1_795_003_600.0,
        metadata={"run": "r1"},
    )


@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        ({"id": UUID}, "id", UUID),
        ({"id": 17}, "id", "17"),
        ({"output_file_id": ""}, "output_file_id", None),
        ({"output_file_id": None}, "output_file_id", None),
        ({"error_file_id": ""}, "error_file_id", None),
        ({"error_file_id": "file\n../x"}, "error_file_id", None),
        ({"error_file_id": {"id": "file-1"}}, "error_file_id", None),
        ({"input_file_id": "x" * 513}, "input_file_id", None),
        ({"status": "scheduling"}, "status", "scheduling"),
        ({"status": "Canceled"}, "status", "cancelled"),
        ({"status": "canceling"}, "status", "cancelling"),
        ({"status": None}, "status", ""),
        ({"status": 3}, "status", ""),
        ({"status": "in\nprogress"}, "status", "in progress"),
        ({"request_counts": None}, "total", None),
        ({"request_counts": {"total": None}}, "total", None),
        ({"request_counts": {"total": 10.0}}, "total", 10),
        ({"request_counts": {"total": "10"}}, "total", 10),
        ({"request_counts": {"total": -1}}, "total", None),
        ({"request_counts": {"total": True}}, "total", None),
        ({"request_counts": [1]}, "total", None),
        ({"completed_at": None}, "ended_at", None),
        ({"completed_at": None, "expired_at": 7}, "ended_at", 7.0),
        ({"completed_at": None, "finalizing_at": 7}, "ended_at", None),
        ({"created_at": 1.5}, "created_at", 1.5),
        ({"created_at": "1795000000"}, "created_at", 1_795_000_000.0),
        ({"created_at": 0}, "created_at", None),
        ({"created_at": float("nan")}, "created_at", None),
        ({"created_at": "yesterday"}, "created_at", None),
        ({"created_at": 10**400}, "created_at", None),
        ({"completion_window": "1d"}, "status", "completed"),
        ({"metadata": None}, "metadata", {}),
        ({"metadata": {"run": "r1", "n": 1, "x": None}}, "metadata", {"run": "r1"}),
        ({"metadata": ["run"]}, "metadata", {}),
        ({"errors": None}, "problems", ()),
        ({"errors": {}}, "problems", ()),
        ({"errors": {"object": "list", "data": None}}, "problems", ()),
        ({"errors": {"object": "list", "data": []}}, "problems", ()),
        ({"errors": []}, "problems", ()),
        ({"errors": [None, 3]}, "problems", ()),
    ],
)
def test_an_oddity(fields: dict[str, Any], field: str, expected: Any) -> None:
    batch = batch_of(OPENAI | fields)
    assert batch is not None
    assert getattr(batch, field) == expected


@pytest.mark.parametrize("field", sorted(OPENAI.keys() - {"id"}))
def test_a_batch_lacks_a_field(field: str) -> None:
    batch = batch_of({name: value for name, value in OPENAI.items() if name != field})
    assert batch is not None
    assert batch.id == "batch_1"


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        (
            {"data": [{"code": "invalid_json_line", "message": "No.", "line": 7, "param": "url"}]},
            Problem(code="invalid_json_line", message="No.", line=7, param="url"),
        ),
        ({"data": [{"type": "invalid", "message": "No."}]}, Problem(code="invalid", message="No.")),
        ([{"code": "x", "message": "a\nb"}], Problem(code="x", message="a b")),
        ({"code": "x", "message": "No."}, Problem(code="x", message="No.")),
        ("No.", Problem(code="unknown", message="No.")),
        (
            [{"code": None, "message": None, "line": None, "param": ""}],
            Problem(code="unknown", message="The provider does not say why"),
        ),
    ],
)
@pytest.mark.parametrize("field", ["errors", "error"])
def test_why_a_batch_failed(field: str, errors: Any, expected: Problem) -> None:
    batch = batch_of({"id": "b", "status": "failed", field: errors})
    assert batch is not None
    assert batch.problems == (expected,)


def test_a_message_shows_no_key() -> None:
    told = {"data": [{"code": "x", "message": "Incorrect API key provided: sk-abcdef123456"}]}
    batch = batch_of({"id": "b", "errors": told})
    assert batch is not None
    assert "abcdef" not in batch.problems[0].message


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"id": "file-1", "filename": "a.jsonl", "bytes": 12, "created_at": 5},
            RemoteFile(id="file-1", name="a.jsonl", bytes=12, created_at=5.0),
        ),
        ({"id": UUID, "name": "a.jsonl"}, RemoteFile(id=UUID, name="a.jsonl")),
        ({"id": "f", "filename": None, "bytes": None}, RemoteFile(id="f", name="")),
        ({"id": "f", "filename": ["a"], "bytes": "12"}, RemoteFile(id="f", name="", bytes=12)),
    ],
)
def test_a_file(told: dict[str, Any], expected: RemoteFile) -> None:
    assert file_of(told) == expected


@pytest.mark.parametrize(
    "told", [None, [], "text", 3, {}, {"id": ""}, {"id": None}, {"id": "a b"}, {"id": True}]
)
def test_nothing_without_an_id(told: Any) -> None:
    assert file_of(told) is None
    assert batch_of(told) is None


@pytest.mark.parametrize(
    ("told", "entries", "more"),
    [
        ({"data": [{"id": "a"}], "has_more": True}, 1, True),
        ({"data": [{"id": "a"}], "has_more": False}, 1, False),
        ({"data": [{"id": "a"}]}, 1, None),
        ({"data": [{"id": "a"}], "has_more": "no"}, 1, None),
        ({"data": None}, 0, None),
        ({"data": [None, 1, {"id": "a"}]}, 1, None),
        ([{"id": "a"}, {"id": "b"}], 2, False),
    ],
)
def test_a_page(told: Any, entries: int, more: bool | None) -> None:
    page = page_of(told)
    assert page is not None
    assert (len(page.entries), page.more) == (entries, more)


@pytest.mark.parametrize("told", [None, {}, {"data": {}}, {"data": "x"}, {"id": "a"}, "text"])
def test_no_page(told: Any) -> None:
    assert page_of(told) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"error": {"message": "No."}}, True),
        ({"error": "No."}, True),
        ({"error": None}, False),
        ({"id": "batch_1", "error": {"message": "It failed."}}, False),
        ([], False),
    ],
)
def test_an_error_in_a_success(told: Any, expected: bool) -> None:
    assert hides_error(told) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id":"a"}', {"id": "a"}),
        (b'\xef\xbb\xbf{"id":"a"}', {"id": "a"}),
        (b'{"created_at":NaN}', {"created_at": None}),
        (b"[]", []),
        (b"null", None),
        (b'"text"', None),
        (b"3", None),
        (b"", None),
        (b"<html></html>", None),
        (b'{"id":"a', None),
        (b"\xff\xfe", None),
    ],
)
def test_json(body: bytes, expected: Any) -> None:
    assert json_of(body) == expected
