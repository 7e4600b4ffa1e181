"""Lines of output and error files, as real servers write them."""

import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from processor.batch.answer import verdict_on
from processor.batch.custom_id import custom_id_of, seq_of
from processor.batch.lines import BadLine, Line, lines_of, name_in, read_line
from processor.completion import CHAT
from processor.provider_error import ProviderError

BODY = {"id": "chatcmpl-1", "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}
REFUSED = {"error": {"message": "Too long", "type": "invalid_request_error", "code": "too_long"}}
EXPIRED = {"code": "batch_expired", "message": "It ran out of time"}
DEEP = b"[" * 400 + b"]" * 400  # orjson reads it, but does not write it
READ_EXPIRED = ProviderError(code="batch_expired", message="It ran out of time")


def whole(**fields: Any) -> bytes:
    """A line with what all of them have."""
    return orjson.dumps({"id": "batch_req_1", "custom_id": "item-7"} | fields)


def response(status: Any = 200, body: Any = BODY, request_id: Any = "req_1") -> dict[str, Any]:
    return {"status_code": status, "request_id": request_id, "body": body}


def line(
    status: int | None = 200,
    body: Any = BODY,
    error: ProviderError | None = None,
    request_id: str | None = "req_1",
) -> Line:
    written = None if body is None else orjson.dumps(body)
    return Line("item-7", status, written, error, request_id)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (whole(response=response(), error=None), line()),
        (whole(response=response()), line()),
        (whole(response=response(), error={}), line()),
        (whole(response=response(), error=""), line()),
        (whole(response=response(), error={"code": "", "message": ""}), line()),
        (whole(response=response(), error={"code": None, "message": None}), line()),
        (whole(id="", response=response(request_id="")), line(request_id=None)),
        (whole(id=None, response=response(request_id=None)), line(request_id=None)),
        (whole(id=12, response=response(request_id=12)), line(request_id=None)),
        (whole(response=response(), usage={"tokens": 3}, extra=[1]), line()),
        (whole(response=response(body=orjson.dumps(BODY).decode())), line()),
        (whole(response=response("200")), line()),
        (whole(response=response(200.0)), line()),
        (whole(response={"body": BODY, "request_id": "req_1"}), line(None)),
        (whole(response=response(None)), line(None)),
        (whole(response=response(status=True)), line(None)),
        (whole(response=response(status="OK")), line(None)),
        (whole(response=response(-1)), line(None)),
        (whole(response=response(2**63)), line(None)),
        (whole(response=response(1e300)), line(None)),
        (whole(response=response(400, REFUSED)), line(400, REFUSED)),
        (whole(response=response(400, REFUSED), error=None), line(400, REFUSED)),
        (whole(response=response(429, None)), line(429, None)),
        (whole(response=response(429, {})), line(429, {})),
        (whole(response=response(429, "")), line(429, None)),
        (whole(response=response(0, None)), line(0, None)),
        (whole(response=response(0, {})), line(0, {})),
        (whole(response=response(200, [BODY])), line(200, [BODY])),
    ],
)
def test_what_a_response_may_look_like(raw: bytes, read: Line) -> None:
    assert read_line(raw) == read


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"response": None, "error": EXPIRED}, None, READ_EXPIRED),
        ({"error": EXPIRED}, None, READ_EXPIRED),
        ({"response": {}, "error": EXPIRED}, None, READ_EXPIRED),
        ({"response": [], "error": EXPIRED}, None, READ_EXPIRED),
        (
            {"error": {"type": "batch_expired", "message": "It ran out of time"}},
            None,
            ProviderError(type="batch_expired", message="It ran out of time"),
        ),
        (
            {"response": response(429, None), "error": {"message": "Slow", "param": "model"}},
            429,
            ProviderError(message="Slow", param="model"),
        ),
        (
            {"error": {"object": "error", "message": "No", "type": "BadRequest", "code": 400}},
            400,
            ProviderError(type="badrequest", message="No", status=400),
        ),
        (
            {"response": None, "error": {"error": {"message": "No", "code": 503}}},
            503,
            ProviderError(message="No", status=503),
        ),
        ({"error": "It broke"}, None, ProviderError(message="It broke")),
        ({"error": {"code": "x"}}, None, ProviderError(code="x", message="x")),
        ({"response": None, "error": None}, None, None),
        ({"response": None}, None, None),
        ({"error": 5}, None, None),
        ({}, None, None),
    ],
)
def test_what_an_error_may_look_like(
    fields: dict[str, Any], status: int | None, error: ProviderError | None
) -> None:
    read = read_line(whole(**fields))
    assert isinstance(read, Line)
    assert (read.status, read.body, read.error) == (status, None, error)


def test_an_error_beside_an_answer_is_kept_with_it() -> None:
    read = read_line(whole(response=response(), error=EXPIRED))
    assert read == line(error=READ_EXPIRED)


@pytest.mark.parametrize(
    ("raw", "cut_off"),
    [
        (b'{"custom_id":"item-7","response":{"status_code":200,"bo', True),
        (b'{"custom_id":"item-7","response":{"status_code":200,"body":{"a":"\xec\x95', True),
        (b"{", True),
        (b"<html><body>502 Bad Gateway</body></html>", False),
        (b'{"custom_id":"item-7"} {"custom_id":"item-8"}', False),
        (b'{"custom_id":"item-7","response":{"status_code":200,"body":}}', False),
        (b"\x00\x00\x00", False),
        (b"\xff\xfe{\x00}\x00", False),
        (b"null", False),
        (b"[]", False),
        (b'"item-7"', False),
        (b'{"response":{}}', False),
        (b'{"custom_id":null}', False),
        (b'{"custom_id":7}', False),
        (b'{"custom_id":""}', False),
        (b"[" * 100_000, False),
    ],
)
def test_a_line_that_tells_of_no_request(raw: bytes, *, cut_off: bool) -> None:
    read = read_line(raw)
    assert isinstance(read, BadLine)
    assert read.cut_off == cut_off
    assert read.problem.startswith("It ")


@pytest.mark.parametrize("trailer", [b"\n", b"\r\n", b" \t\n", b""])
def test_an_answer_with_what_json_does_not_know_is_read(trailer: bytes) -> None:
    raw = b'{"custom_id":"item-7","response":{"status_code":200,"body":{"score":NaN}}}' + trailer
    assert read_line(raw) == Line("item-7", 200, b'{"score":null}')


@pytest.mark.parametrize(
    "raw",
    [
        b'{"custom_id":"item-7","response":{"status_code":200,"body":{"a":"\xff"}}}',
        b'{"custom_id":"item-7","err\xb0r":null}',
        b'{"custom_id":"item-7","response":{"status_code":200,"body":{"a":"\\ud800"}}}',
        b'{"custom_id":"item-7","response":{"status_code":1e999,"body":{}}}',
        b'{"custom_id":"item-7","response":{"body":{"a":%b}}}' % DEEP,
        b'{"custom_id":"item-7","response":{"status_code":200,"body":{"a":%b}}}' % DEEP,
        b'{"custom_id":"item-7","error":{"a":%b}}' % DEEP,
    ],
)
def test_a_damaged_line_still_tells_whose_it_is(raw: bytes) -> None:
    read = read_line(raw)
    assert isinstance(read, Line)
    assert read.custom_id == name_in(raw) == "item-7"
    assert verdict_on(read, CHAT).code == "malformed"


DAMAGE = st.sampled_from(
    [
        *(b'"', b"\\", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"1e999", b"9" * 30, b","),
        *(b"{", b"}", b"[", b"]", b"\x00", b"\x01", b"tru", b"01", b"-", b"\xef\xbb\xbf", b""),
        *(b'"custom_id":"item-8",', b'"custom_id":7,', b"[" * 3_000),
    ]
)


@settings(max_examples=500)
@given(
    raw=st.sampled_from(
        [
            whole(response=response(), error=None),
            whole(response=None, error=EXPIRED),
            whole(response=response(400, REFUSED)),
        ]
    ),
    damages=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 4), DAMAGE), max_size=3),
)
def test_damage_breaks_nothing_and_a_name_that_is_read_stays(
    raw: bytes, damages: list[tuple[int, int, bytes]]
) -> None:
    for place, gone, put in damages:
        raw = raw[:place] + put + raw[place + gone :]
    name, read = name_in(raw), read_line(raw)
    if isinstance(read, Line):
        assert read.custom_id == name
        verdict_on(read, CHAT)
    else:
        assert isinstance(name, BadLine) or not name


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_whatever_break_it(raw: bytes) -> None:
    assert isinstance(read_line(raw), BadLine)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "response": json_values
            | st.fixed_dictionaries(
                {},
                optional={
                    "status_code": json_values,
                    "body": json_values,
                    "request_id": json_values,
                },
            ),
            "error": json_values
            | st.fixed_dictionaries({}, optional={"code": json_values, "message": json_values}),
        },
    )
)
def test_whatever_it_holds_a_line_of_ours_is_one(fields: dict[str, Any]) -> None:
    read = read_line(whole(**fields))
    assert isinstance(read, Line)
    assert read.custom_id == "item-7"


@given(content=st.text(), status=st.integers(0, 599))
def test_answers_come_through_byte_by_byte(content: str, status: int) -> None:
    body = orjson.dumps({"content": content})
    raw = b'{"custom_id":"item-7","response":{"status_code":%d,"body":%b}}' % (status, body)
    read = read_line(raw)
    assert isinstance(read, Line)
    assert (read.status, read.body) == (status, body)


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"", []),
        (b"\n\r\n  \n", []),
        (b"\xef\xbb\xbf", []),
        (b"\xef\xbb\xbf\n", []),
        (b"\xef\xbb\xbfa\nb\n", [b"a\n", b"b\n"]),
        (b"a\r\nb\r\n", [b"a\r\n", b"b\r\n"]),
        (b"a\n\n\nb", [b"a\n", b"b"]),
        (
            "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n".encode(),
            ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n".encode()],
        ),
    ],
)
def test_lines_end_at_one_byte_only(tmp_path: Path, written: bytes, lines: list[bytes]) -> None:
    path = tmp_path / "output.jsonl"
    path.write_bytes(written)
    assert list(lines_of(path)) == lines


@given(lines=st.lists(st.binary(min_size=1, max_size=300).filter(lambda part: b"\n" not in part)))
def test_nothing_is_lost_between_blocks(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "output.jsonl"
    kept = [b"x" + part for part in lines]
    path.write_bytes(b"\n".join(kept))
    assert [found.rstrip(b"\n") for found in lines_of(path)] == kept


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "output.jsonl"
    raw = whole(response=response(body=BODY | {"pad": "x" * 4_000})) + b"\n"
    with path.open("wb") as file:
        for _ in range(5_000):
            file.write(raw)
    tracemalloc.start()
    try:
        count = sum(isinstance(read_line(found), Line) for found in lines_of(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 5_000
    assert peak < 3 << 20 < path.stat().st_size


@given(seq=st.integers(1, 10**18 - 1))
def test_a_custom_id_leads_back_to_its_item(seq: int) -> None:
    assert seq_of(custom_id_of(seq)) == seq


@pytest.mark.parametrize(
    "custom_id",
    [
        *("", "item", "item-", "item-0", "item-01", "item--1", "item-+1", "item- 1", "item-1 "),
        *("item-1\n", "\nitem-1", "item-1.0", "item-1e3", "item-1_000", "Item-1", "ITEM-1", "1"),
        *("item-٣", "item-³", "item-" + "9" * 19, "row-1", "xitem-1", "item-1-2", "item-None"),
    ],
)
def test_any_other_name_is_none_of_ours(custom_id: str) -> None:
    assert seq_of(custom_id) is None


@given(st.text(max_size=12) | st.from_regex(r"\Aitem-\w{0,20}\Z"))
def test_a_name_that_leads_to_an_item_is_the_one_it_has(custom_id: str) -> None:
    seq = seq_of(custom_id)
    assert seq is None or custom_id_of(seq) == custom_id
