"""Neighbours of the listed faults: answers as strange as HTTP and JSON allow.

Each is the third item's; whatever it is, the other items get their own answers, and no item gets
another's.
"""

import asyncio
import gzip
import zlib

import orjson
import pytest
from lane_bench import bench, items

from faults.rude import GOOD, Asked, Rude, Say, chunked, completion, http, rude, rude_bench
from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules

BODY = completion()
PACKED = gzip.compress(BODY)
LENGTH = b"Content-Length: %d" % len(BODY)


def with_length(length: bytes) -> bytes:
    return http(200, BODY).replace(LENGTH, b"Content-Length: " + length)


def with_body(more: bytes) -> bytes:
    """The good answer with one more field."""
    return http(200, BODY[:-1] + b',"x":' + more + b"}")


# What is said to be read, and read as it should be.
READ = {
    "chunks": chunked(BODY),
    "chunk extensions and trailers": chunked(BODY, end=b"0;x=y\r\nX-Late: 1\r\n\r\n"),
    "gzip unasked": http(200, PACKED, "Content-Encoding: gzip"),
    "deflate unasked": http(200, zlib.compress(BODY), "Content-Encoding: deflate"),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
    "102 and 103 first": b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + GOOD,
    "201": http(201, BODY),
    "206": http(206, BODY),
    "no reason": GOOD.replace(b"200 Said", b"200"),
    "bare line feeds": GOOD.replace(b"\r\n", b"\n"),
    "HTTP/1.0 with a length": http(200, BODY, version="1.0"),
    "HTTP/1.0 without a length": (http(200, BODY, version="1.0", length=False), "close"),
    "HTTP/1.1 without a length": (http(200, BODY, length=False), "close"),
    "header in Latin-1": http(200, BODY, "X-Request-Id: \udcff\udcfe"),
    "header with NUL": http(200, BODY, "X-Request-Id: a\0b"),
    "header of many words": http(200, BODY, "X-Long: " + "word " * 1_000),
    "gzip that is none": http(200, BODY, "Content-Encoding: gzip"),
    "header of 64 KB": http(200, BODY, "X-Big: " + "a" * 65_536),
    "300 headers": http(200, BODY, *(f"X-{n}: y" for n in range(300))),
    "blank lines around": http(200, b"\r\n \n" + BODY + b"\n\n"),
    "BOM": http(200, b"\xef\xbb\xbf" + BODY),
    "NaN": with_body(b"NaN"),
    "a number beyond all": with_body(b"9" * 400),
    "content type of text": http(200, BODY, "Content-Type: text/plain; charset=latin-1"),
    "error that is null": http(200, completion(error=None)),
    "no model": http(200, completion(model=None)),
    "unknown finish": http(200, BODY.replace(b'"stop"', b'"tired"')),
}
# What cannot be read: the call is made again and then given up, as a call that broke or as an
# answer that was malformed.
UNREAD = {
    "chunks without an end": ((chunked(BODY, end=b""), "close"), "connection"),
    "chunk size rubbish": (chunked(BODY, end=b"zz\r\n\r\n"), "connection"),
    "length too long": ((with_length(b"9999"), "close"), "connection"),
    "length too short": (with_length(b"20"), "malformed"),
    "length negative": (with_length(b"-5"), "connection"),
    "length rubbish": (with_length(b"some"), "connection"),
    "length twice": (http(200, BODY, "Content-Length: 3"), "connection"),
    "length beside chunks": (http(200, BODY, "Transfer-Encoding: chunked"), "connection"),
    "gzip cut off": (http(200, PACKED[:-20], "Content-Encoding: gzip"), "malformed"),
    "headers without an end": (b"HTTP/1.1 200 OK\r\nX-Big: " + b"a" * 400_000, "connection"),
    "header without a colon": (http(200, BODY, "colon"), "connection"),
    "no HTTP at all": ((BODY, "close"), "connection"),
    "status 0": (http(0, BODY), "connection"),
    "status 999": (http(999, b"denied"), "server_error"),
    "101": (b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "connection"),
    "204": (b"HTTP/1.1 204 None\r\n\r\n", "malformed"),
    "205": (http(205), "malformed"),
    "bytes that are no UTF-8": (http(200, BODY.replace(b"Hello", b"H\xff")), "malformed"),
    "UTF-16": (http(200, BODY.decode().encode("utf-16")), "malformed"),
    "half a surrogate pair": (http(200, BODY.replace(b"Hello", b"\\ud83d")), "malformed"),
    "nested deeply": (with_body(b"[" * 50_000 + b"]" * 50_000), "malformed"),
    "two answers in one": (http(200, BODY + b"\n" + BODY), "malformed"),
    "a stream of events": (http(200, b"data: " + BODY + b"\n\ndata: [DONE]\n\n"), "malformed"),
    "a key twice, the last is empty": (http(200, BODY[:-1] + b',"choices":[]}'), "malformed"),
    "choices null": (http(200, completion(choices=None)), "malformed"),
    "content a number": (http(200, completion(7)), "malformed"),
    "content null": (http(200, completion(None)), "malformed"),
}


@pytest.mark.parametrize("said", READ.values(), ids=READ)
def test_what_can_be_read_is_read(said: bytes | tuple[bytes, str]) -> None:
    async def main() -> None:
        async with rude_bench(third(said), 6, LaneRules(concurrency=2)) as (it, server):
            await it.run()
            assert it.codes == dict.fromkeys(range(1, 7), "")
            results = [o.accepted.result for o in it.outcomes.values() if o.accepted]
            assert results == ["Hello."] * 6
            assert len(server.asked) == 6

    asyncio.run(main())


@pytest.mark.parametrize(("said", "code"), UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_concerns_its_item_only(
    said: bytes | tuple[bytes, str], code: str
) -> None:
    async def main() -> None:
        rules = LaneRules(concurrency=2, timeout_s=20, retry=RetryPolicy(attempts_max=3))
        async with rude_bench(third(said), 6, rules) as (it, server):
            await it.run()
            assert it.lane.stopped is None
            assert it.codes == {seq: code if seq == 3 else "" for seq in range(1, 7)}
            assert sum(b"word3." in asked.body for asked in server.asked) == 3
            assert len(server.asked) <= 5 + 3 + 1  # a witness, in case it was the server
            failure = it.outcomes[3].failure
            assert failure is not None
            assert failure.message.isprintable()
            assert len(failure.message) < 340

    asyncio.run(main())


def third(said: bytes | tuple[bytes, str]) -> Rude:
    """Says this to the third item, and what is right to the others."""
    data, then = said if isinstance(said, tuple) else (said, "keep")

    def answer(asked: Asked) -> Say:
        return Say(data=data, then=then) if b"word3." in asked.body else Say(data=GOOD)

    return answer


@pytest.mark.parametrize("more", [GOOD.replace(b"Hello", b"WRONG"), b"garbage"])
def test_what_follows_an_answer_is_nobodys_answer(more: bytes) -> None:
    """In one piece with it; the item may be asked again, and no item gets what is not its own."""

    async def main() -> None:
        async with rude_bench(third(GOOD + more), 20, LaneRules(concurrency=2)) as (it, _):
            await it.run()
            answered = [o for o in it.outcomes.values() if o.accepted]
            assert len(answered) >= 19
            assert {o.accepted.result for o in answered if o.accepted} == {"Hello."}

    asyncio.run(main())


def test_an_answer_of_50_mb_is_read_and_the_next_one_too() -> None:
    async def main() -> None:
        large = http(200, completion("x" * 50_000_000))
        async with rude_bench(third(large), 4, LaneRules(concurrency=1)) as (it, _):
            await it.run()
            assert set(it.codes.values()) == {""}
            accepted = it.outcomes[3].accepted
            assert accepted is not None
            assert len(accepted.result) == 50_000_000

    asyncio.run(main())


def test_a_text_in_parts_is_joined() -> None:
    async def main() -> None:
        parts = [{"type": "text", "text": "One "}, {"type": "text", "text": "two."}]
        async with rude_bench(lambda _: Say(data=http(200, completion(parts))), 1) as (it, _):
            await it.run()
            accepted = it.outcomes[1].accepted
            assert accepted is not None
            assert accepted.result == "One two."

    asyncio.run(main())


@pytest.mark.parametrize(
    "body",
    [
        {"error": "The engine is asleep."},
        {"error": {"message": "The engine is asleep.", "code": None, "type": 7}},
        {"detail": "The engine is asleep."},
        {"message": "The engine is asleep.", "object": "error"},
        [{"error": {"message": "The engine is asleep.", "status": "UNAVAILABLE"}}],
    ],
)
def test_an_error_of_any_shape_is_told_in_its_own_words(body: object) -> None:
    async def main() -> None:
        async with rude_bench(third(http(500, orjson.dumps(body))), 4) as (it, _):
            await it.run()
            failure = it.outcomes[3].failure
            assert failure is not None
            assert (failure.code, failure.message) == ("server_error", "The engine is asleep.")

    asyncio.run(main())


def test_more_calls_than_the_server_takes_connections() -> None:
    """It hangs up on those beyond ten; all are answered in the end."""

    async def main() -> None:
        def answer(asked: Asked) -> Say:
            return Say(data=b"", then="reset") if asked.number in range(11, 41) else Say(data=GOOD)

        async with rude(answer) as server:
            rules = LaneRules(concurrency=40)
            async with bench(items(200), url=server.url, rules=rules) as it:
                await it.run()
                assert it.lane.stopped is None
                assert set(it.codes.values()) == {""}

    asyncio.run(main())
