"""The process that sends messages: what it is given, how long it may take, how it ends."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from mailroom import Mailroom, mailroom

from processor.notifying.errand import Delivery, Errand
from processor.notifying.message import Message
from processor.notifying.post import Post
from processor.occasion import Occasion

HELLO = Message(occasion=Occasion.LATE, title="hello", body="<b>&\nthere", facts={"event": "late"})


def send(addresses: Sequence[str], message: Message, *, most_s: float) -> Post:
    return Post(Errand(addresses=addresses, message=message, most_s=most_s))


@pytest.fixture
def room() -> Iterator[Mailroom]:
    with mailroom() as room:
        yield room


def test_what_hangs_is_left_and_delays_nobody_else(room: Mailroom) -> None:
    addresses = [room.address(way) for way in ("drip", "ok/1", "bad", "drip/2", "ok/2")]
    begun_s = time.monotonic()
    done = send(addresses, HELLO, most_s=3).run()
    assert time.monotonic() - begun_s < 3 + 3 + 1
    hangs = "no answer within 3 s"
    refused = "Failed to send JSON POST notification: Internal server error., error=500."
    assert [each.problem for each in done] == [hangs, None, refused, hangs, None]
    assert done[0] == Delivery(at=0, service="json://…", problem=hangs)
    assert {letter.path for letter in room.letters} == {"/ok/1", "/ok/2"}
    assert {letter.body["type"] for letter in room.letters} == {"warning"}
    assert room.letters[0].body["message"] == HELLO.body


def test_what_is_too_long_for_a_service_comes_in_parts(room: Mailroom) -> None:
    chat = room.address("key1234567", "mmost")
    long = replace(HELLO, body="\n".join(f"line {number}" for number in range(700)))
    done = send([chat, f"{chat}?overflow=truncate", room.address("ok")], long, most_s=20).run()
    assert [each.problem for each in done] == [None] * 3
    texts = [letter.body["text"] for letter in room.letters if "text" in letter.body]
    assert max(map(len, texts)) <= 4_000 < len(long.body)  # what Mattermost takes
    lines = sorted(line for text in texts for line in text.splitlines() if "line" in line)
    assert [line for line in lines if line.endswith(" 699")] == ["line 699"]  # once of the two
    assert [letter.body["message"] for letter in room.letters if "message" in letter.body] == [
        long.body
    ]


def test_it_can_be_ended_from_elsewhere(room: Mailroom) -> None:
    post = send([room.address("drip")], HELLO, most_s=60)
    done: list[Delivery] = []
    thread = threading.Thread(target=lambda: done.extend(post.run()))
    thread.start()
    assert room.dripping.wait(20)
    post.drain()
    thread.join(10)
    assert [each.problem for each in done] == ["it was ended before it had an answer"]


def test_one_that_was_ended_before_is_not_begun(room: Mailroom) -> None:
    post = send([room.address("ok")], HELLO, most_s=60)
    post.drain()
    assert [each.problem for each in post.run()] == ["it was ended before it had an answer"]
    assert not room.letters
