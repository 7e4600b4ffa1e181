"""One item's whole story, with its formulas drawn."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec.structs import asdict

from processor.codes import cause_of
from processor.ledger.database import LEDGER_NAME
from processor.ledger.shards import Shard
from processor.tasks import formulas
from processor.watch.story import Call, Story, tell
from processor.web.questions import number
from processor.web.replies import NoRunError, told
from processor.web.shared import SHARED, folder_of
from processor.web.values import value

_LAST = 2**53
# Of a text; a page that shows more of it is not read, but grows slow.
_MOST_CHARACTERS = 20_000


async def story(request: web.Request) -> web.Response:
    """Everything that is known of an item; long texts are cut unless `whole=1`."""
    seq = _seq(request)
    most = None if number(request, "whole", 0, least=0, most=1) else _MOST_CHARACTERS
    path = folder_of(request) / LEDGER_NAME
    found = await request.app[SHARED].search(_told, path, seq, most)
    if found is None:
        raise NoRunError(f"there is no item {seq}")
    whole = request.rel_url.with_query(whole=1)
    return told({**found, "whole": str(whole)})


def _seq(request: web.Request) -> int:
    text = request.match_info["seq"]
    if not (text.isascii() and text.isdigit() and len(text) < len(str(_LAST))):
        raise NoRunError(f"there is no item {text!r}")
    return int(text)


def _told(path: Path, seq: int, most: int | None) -> Mapping[str, Any] | None:
    found = tell(path, seq)
    return None if found is None else _as_json(found, most)


def _as_json(story: Story, most: int | None) -> dict[str, Any]:
    result = story.result
    fields = result.fields()
    source = _source(fields)
    return {
        "item": {
            "seq": result.seq,
            "id": str(result.id),
            "chunk": story.chunk,
            "status": result.status,
            "fields": {name: value(one, most) for name, one in fields.items()},
        },
        "outcome": None if story.at is None else _outcome(story, most),
        "attempts": [_call(call, most) for call in story.calls],
        "timeline": list(_timeline(story.calls)),
        "shard": None if story.shard is None else _shard(story.shard),
        "batches": [asdict(batch) for batch in story.batches],
        "source_field": source[0] if source else None,
        "source_mathml": source[1] if source else None,
        "result_mathml": _drawn(story),
    }


def _outcome(story: Story, most: int | None) -> Mapping[str, Any]:
    result = story.result
    names = ("status", "check", "notes", "code", "retryable", "lane", "model", "tier", "provider")
    figures = ("attempts", "latency_ms", "cost_usd")
    tokens = ("prompt_tokens", "completion_tokens", "cached_tokens")
    cause = None if result.code is None else cause_of(result.code)
    return {
        **{name: getattr(result, name) for name in (*names, *figures, *tokens)},
        "at": story.at,
        "result": value(result.result, most),
        "label": story.label,
        "message": value(result.message, most),
        "means": cause and cause.means,
        "remedy": cause and cause.remedy,
        "body": value(story.body, most),
        "request_id": story.request_id,
    }


def _call(call: Call, most: int | None) -> Mapping[str, Any]:
    texts = {name: value(getattr(call, name), most) for name in ("message", "answer", "problem")}
    return {**asdict(call), **texts}


def _timeline(calls: Sequence[Call]) -> Iterator[Mapping[str, Any]]:
    """Calls and waits as stretches of time; a call of unknown length has none."""
    for call in calls:
        begun = call.at - (call.latency_ms or 0.0) / 1000
        yield {"what": "call", "number": call.number, "from": begun, "until": call.at}
        if call.wait_s:
            until = call.at + call.wait_s
            yield {"what": "wait", "number": call.number, "from": call.at, "until": until}


def _shard(shard: Shard) -> Mapping[str, Any]:
    names = ("number", "at", "endpoint", "model", "items", "bytes", "problem")
    return {**{name: getattr(shard, name) for name in names}, "state": str(shard.state)}


def _source(fields: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first field that holds a formula, and the formula."""
    drawn = ((name, formulas.of_field(one)) for name, one in fields.items())
    return next(((name, formula) for name, formula in drawn if formula is not None), None)


def _drawn(story: Story) -> str | None:
    answer = story.result.answer
    return formulas.of_latex(answer) if story.kind == "latex" and answer is not None else None
