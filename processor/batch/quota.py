"""How many tokens may be enqueued: the limit is learnt from refusals. Pure: times are arguments.

A provider counts the prompt tokens of all unfinished batches of a model, those of other people in
the account too, and refuses what goes beyond. It tells neither the limit before that, nor what the
others have enqueued. So:

1. Nothing is known at first, and everything goes.
2. Where a refusal names the limit, no sum of ours exceeds it any more. A shard that alone is beyond
   it has to be split.
3. A refusal that the limit does not explain shows that others have taken the rest: what of ours was
   open is the ceiling from then on.
4. A batch that ends makes room for what it held, and raises the ceiling by an eighth of that.
5. Others may have ended, too: after a while shards are tried beyond the ceiling, one at a time. The
   next follows when one is accepted; while they are refused the waits grow, and never end.
6. A shard that is refused again and again with nothing of ours open is split, although it should
   fit: more may be counted for it than we think. A single row is then given up.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from msgspec import Struct

_GAIN = 1 / 8
_WAIT_LEAST_S = 60.0
_WAIT_MOST_S = 900.0
_DOUBLINGS_MOST = 4
_ALONE_MOST = 3  # refusals of a shard with nothing of ours open, before it is taken for too large
_SURE_SHARE = 4  # of the limit: fewer tokens are refused only for what others have enqueued
_SURE_LEAST = 10_000  # the same in tokens, where no limit was told; the smallest known is 30,000

_TOLD = re.compile(
    r"\blimit(?: of|:) *(?P<count>\d{1,3}(?:[ ,.]\d{3})+|\d+(?:\.\d+)?) *(?P<unit>[kmb]\b)?",
    re.IGNORECASE,
)
_FAILED_CODE = "token_limit_exceeded"
_SEPARATED = re.compile(r"[ ,.](?=\d{3})")
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


class Room(StrEnum):
    """Whether a shard may become a batch."""

    NOW = "now"
    LATER = "later"  # when a batch of its model has ended, or when `at_s` has come
    SPLIT = "split"  # only in pieces
    NEVER = "never"  # its only row is too large


class Admission(Struct, frozen=True, gc=False):
    """Whether a shard may become a batch, and when or how.

    Attributes:
        at_s: With LATER: when to ask again even if no batch ends before; may be infinite.
        most_tokens: With SPLIT: of each piece, as far as single rows allow.
    """

    room: Room
    at_s: float = inf
    most_tokens: int = 0


def told_limit(message: str) -> int | None:
    """The limit that a refusal names: `Limit: 900,000 enqueued tokens`, `limit of 30K`."""
    found = _TOLD.search(message)
    if found is None or "token" not in message.lower():
        return None
    count = float(_SEPARATED.sub("", found["count"]))
    return int(count * _UNITS[(found["unit"] or "").lower()]) or None


def is_quota(problem: str) -> bool:
    """Whether a batch failed because the provider's queue had no room for it."""
    return problem.startswith(_FAILED_CODE) or told_limit(problem) is not None


_NOW = Admission(Room.NOW)
_NEVER = Admission(Room.NEVER)


class Quota:
    """The enqueued tokens of every model.

    All tokens are our own estimates, so that a limit is kept as far as those are right.
    """

    def __init__(self) -> None:
        self._models: dict[str, _Model] = {}
        self._model_of: dict[int, _Model] = {}

    def limit(self, model: str) -> int | None:
        """The limit that was told last; None when none was."""
        return self._of(model).limit

    def enqueued(self, model: str) -> int:
        """Tokens of our own open batches."""
        return self._of(model).enqueued

    def largest(self, model: str) -> int | None:
        """Tokens beyond which a shard has to be split; None when that is not known."""
        most = self._of(model).most
        return None if most == inf else int(most)

    def admit(self, model: str, *, tokens: int, rows: int, now_s: float) -> Admission:
        """Whether a shard may become a batch now; if so, `opened` is called before anything else.

        Args:
            model: That it asks.
            tokens: Of its prompts.
            rows: That it could be split into.
            now_s: Monotonic.
        """
        return self._of(model).admit(tokens, rows, now_s)

    def opened(self, shard: int, model: str, *, tokens: int, now_s: float) -> None:
        """A shard is about to become a batch, or is found to be one."""
        self._model_of[shard] = found = self._of(model)
        found.open(shard, tokens, now_s)

    def accepted(self, shard: int) -> None:
        """The provider took the batch of a shard into its queue: it is validated."""
        if shard in self._model_of:
            self._model_of[shard].accept(shard)

    def ended(self, shard: int) -> None:
        """The batch of a shard has ended, or could not be created for reasons of its own."""
        if shard in self._model_of:
            self._model_of.pop(shard).end(shard)

    def refused(
        self, shard: int, model: str, *, tokens: int, limit: int | None, now_s: float
    ) -> None:
        """A shard found no room: it could not become a batch, or its batch failed for that.

        Args:
            shard: Which.
            model: That it asks.
            tokens: Of its prompts.
            limit: As the refusal names it (see `told_limit`); None when it does not.
            now_s: Monotonic.
        """
        self._model_of.pop(shard, None)
        self._of(model).refuse(shard, tokens, limit, now_s)

    def _of(self, model: str) -> "_Model":
        return self._models.setdefault(model, _Model())


@dataclass(slots=True)
class _Model:
    """What is known of one model.

    Attributes:
        limit: The provider's, as it was told last.
        ceiling: What is believed to be free for us; infinite until the first refusal.
        too_much: The fewest tokens that were refused again and again with nothing of ours open.
        next_try_s: When a shard may be tried beyond the ceiling.
        refused_s: When one was refused last that the limit does not explain.
        refused_beyond: Tokens that were open then.
        refusals: How many such there were since more was accepted; of what was under way together,
            one.
        alone: Those among them with nothing of ours open, as far as `too_much` tells nothing yet.
        shards: Open shards and their tokens.
        freed: The same shards, and what of ours has ended since they were opened: its tokens were
            in their way, though a look that shows the refusal may show the end first.
        accepted: Those among them that the provider has queued.
    """

    limit: int | None = None
    ceiling: float = inf
    too_much: float = inf
    next_try_s: float = -inf
    refused_s: float = -inf
    refused_beyond: int = 0
    refusals: int = 0
    alone: int = 0
    shards: dict[int, int] = field(default_factory=dict)
    freed: dict[int, int] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)

    @property
    def enqueued(self) -> int:
        return sum(self.shards.values())

    @property
    def most(self) -> float:
        """Tokens beyond which a shard is split."""
        most = max(self._surely_fits, self.too_much / 2)
        return most if self.limit is None else min(most, self.limit)

    def admit(self, tokens: int, rows: int, now_s: float) -> Admission:
        if rows > 1 and tokens > self.most:
            return Admission(Room.SPLIT, most_tokens=int(self.most))
        beyond = self.limit is not None and tokens > self.limit
        if beyond or tokens >= self.too_much:
            return _NEVER
        wanted = self.enqueued + tokens
        if self.limit is not None and wanted > self.limit:
            return Admission(Room.LATER)
        if wanted <= self.ceiling or now_s >= self.next_try_s:
            return _NOW
        return Admission(Room.LATER, at_s=self.next_try_s)

    def open(self, shard: int, tokens: int, now_s: float) -> None:
        self.shards[shard] = tokens
        self.freed[shard] = 0
        if self.enqueued > self.ceiling:
            self.next_try_s = now_s + self._wait_s

    def accept(self, shard: int) -> None:
        if shard in self.accepted:
            return
        self.accepted.add(shard)
        proven = sum(self.shards[each] for each in self.accepted)
        if proven > self.refused_beyond:
            self.refusals = self.alone = 0
            self.ceiling = max(self.ceiling, proven)
            self.next_try_s = -inf

    def end(self, shard: int) -> None:
        gain = _GAIN if shard in self.accepted else 0.0
        tokens = self._close(shard)[0]
        self.ceiling += gain * tokens
        for other in self.freed:
            self.freed[other] += tokens

    def refuse(self, shard: int, tokens: int, limit: int | None, now_s: float) -> None:
        held = self._close(shard)[1] + self.enqueued
        if limit is not None and limit != self.limit:
            self.limit, self.too_much = limit, inf
        if self.limit is not None and held + tokens > self.limit:
            return
        self.ceiling = self.refused_beyond = held
        if now_s >= self.refused_s + self._wait_s:
            self.refusals += 1
            if not held:
                self._refuse_alone(tokens)
        self.refused_s = now_s
        self.next_try_s = now_s + self._wait_s

    def _refuse_alone(self, tokens: int) -> None:
        self.alone += 1
        if self.alone >= _ALONE_MOST and tokens > self._surely_fits:
            self.too_much = min(self.too_much, tokens)
            self.alone = 0

    def _close(self, shard: int) -> tuple[int, int]:
        """Forget a shard; returns its tokens, and what was freed beside it."""
        self.accepted.discard(shard)
        return self.shards.pop(shard, 0), self.freed.pop(shard, 0)

    @property
    def _wait_s(self) -> float:
        doublings = min(max(0, self.refusals - 1), _DOUBLINGS_MOST)
        return min(_WAIT_MOST_S, _WAIT_LEAST_S * 2.0**doublings)

    @property
    def _surely_fits(self) -> int:
        """Tokens that are refused only for what others have enqueued."""
        return _SURE_LEAST if self.limit is None else max(1, self.limit // _SURE_SHARE)
