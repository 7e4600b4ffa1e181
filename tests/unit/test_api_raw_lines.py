"""The lines of a batch that no run here made, as a table."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from processor.api.raw_lines import RawLines, Told, output_for
from processor.errors import UsageError
from processor.exports.output import Terms

CHAT = "/v1/chat/completions"
ANSWER = {
    "model": "gpt-6-luna",
    "choices": [{"message": {"content": "안녕"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3},
}
RESPONSE = {
    "model": "gpt-6-luna",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "안녕"}]}],
}
EXPIRED = {"code": "batch_expired", "message": "This request could not be executed in time."}
REFUSED = {"error": {"code": "context_length_exceeded", "message": "Too long."}}


def line(custom_id: str, body: Any = None, status: int = 200, error: Any = None) -> bytes:
    response = None if body is None else {"status_code": status, "request_id": "r", "body": body}
    told = {"id": "x", "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(told).encode() + b"\n"


def table(folder: Path, endpoint: str | None, *files: bytes) -> tuple[Told, list[dict[str, str]]]:
    paths = [folder / f"{number}.jsonl" for number in range(len(files))]
    for path, content in zip(paths, files, strict=True):
        path.write_bytes(content)
    lines, out = RawLines(paths, endpoint), folder / "out.csv"
    lines.write(output_for(str(out), Terms()))
    with out.open(encoding="utf-8-sig", newline="") as file:
        return lines.told(), list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        (CHAT, ANSWER),
        (None, ANSWER),  # the provider does not say
        ("/chat/completions", ANSWER),  # Azure
        ("/v1/responses", RESPONSE),
    ],
)
def test_answers_are_text(tmp_path: Path, endpoint: str | None, body: Any) -> None:
    told, (row,) = table(tmp_path, endpoint, line("a", body))
    assert told == Told(succeeded=1, failed=0, unreadable=0)
    assert (row["custom_id"], row["status"], row["result"]) == ("a", "success", "안녕")
    assert (row["model"], row["http_status"], row["error_code"]) == ("gpt-6-luna", "200", "")


def test_other_answers_are_their_json(tmp_path: Path) -> None:
    body = {"data": [{"embedding": [0.5]}]}
    files = line("a", body), line("b", REFUSED, 400) + line("c", error=EXPIRED)
    told, rows = table(tmp_path, "/v1/embeddings", *files)
    assert told == Told(succeeded=1, failed=2, unreadable=0)
    assert json.loads(rows[0]["result"]) == body
    assert [row["error_code"] for row in rows] == ["", "", "batch_expired"]
    assert json.loads(rows[1]["error_message"]) == REFUSED


def test_either_file_may_hold_either_kind_and_what_is_twice_counts_once(tmp_path: Path) -> None:
    first = line("a", ANSWER) + line("b", REFUSED, 400)
    second = line("c", error=EXPIRED) + line("b", ANSWER) + b'{"custom_id": "d", "resp'
    told, rows = table(tmp_path, CHAT, first, second)
    assert told == Told(succeeded=2, failed=1, unreadable=1)
    assert [(row["custom_id"], row["status"], row["error_code"]) for row in rows] == [
        ("a", "success", ""),
        ("b", "failed", "context_length"),
        ("c", "failed", "batch_expired"),
        ("b", "success", ""),
        ("", "unreadable", "malformed"),
    ]


@pytest.mark.parametrize("path", ["", "-", "postgresql://me:secret@host/school"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="is no file") as told:
        output_for(path, Terms())
    assert "secret" not in str(told.value)
