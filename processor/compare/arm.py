"""Ways to send the same items. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from zlib import crc32

from processor.errors import UsageError

ONE_BY_ONE: Final = "one-by-one"
_USERS_CALLS, _USERS_WAIT_S = 20, 2.0  # their way: twenty at once, two seconds between chunks
_NAMED = re.compile(r"(direct|chunk|batch|in-turn)-([1-9]\d{0,4})")
_FORMS = "one-by-one, direct-N, chunk-N, batch-N and in-turn-N"
_LONGEST_NAME = 80
_MOST = {"direct": 10_000, "chunk": 99_999, "batch": 50_000, "in-turn": 50_000}

Kind = Literal["one-by-one", "direct", "chunk", "batch", "in-turn"]


@dataclass(frozen=True, slots=True)
class Arm:
    """A way to send items.

    Attributes:
        kind: What is varied.
        size: Calls at once, items a chunk, or requests a batch job.
    """

    kind: Kind
    size: int = 1

    @property
    def name(self) -> str:
        """As it is typed; also of its folders."""
        return self.kind if self.kind == ONE_BY_ONE else f"{self.kind}-{self.size}"

    @property
    def by_batch(self) -> bool:
        """Whether it goes through the Batch API."""
        return self.kind in ("batch", "in-turn")

    @property
    def waits(self) -> bool:
        """Whether it only shows what waiting costs; such an arm takes part at the largest size."""
        return self.kind in ("chunk", "in-turn")

    @property
    def words(self) -> str:
        """What it does."""
        return {
            ONE_BY_ONE: "one by one",
            "direct": f"{self.size} calls at once",
            "chunk": f"chunks of {self.size}, {_USERS_CALLS} at once, {_USERS_WAIT_S:g} s between",
            "batch": f"batch jobs of {self.size}",
            "in-turn": f"batch jobs of {self.size}, one after another",
        }[self.kind]

    @property
    def settings(self) -> dict[str, Any]:
        """What it changes, by the names of settings."""
        match self.kind:
            case "chunk":
                return {
                    "route": "direct",
                    "concurrency": _USERS_CALLS,
                    "chunk_size": self.size,
                    "wait_s": _USERS_WAIT_S,
                }
            case "batch":
                return {"route": "batch", "shard_size": self.size}
            case "in-turn":
                return {"route": "batch", "shard_size": self.size, "limit": self.size}
            case _:
                return {"route": "direct", "concurrency": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of an arm.

    Attributes:
        items: The first so many.
        round: From 1.
    """

    arm: Arm
    model: str
    items: int
    round: int = 1

    @property
    def folder(self) -> str:
        """Name of its folder, unique in a comparison."""
        model = re.sub(r"[^\w.-]+", "-", self.model)[:_LONGEST_NAME]
        if model != self.model:  # another's may have become the same
            model = f"{model}-{crc32(self.model.encode()):08x}"
        again = f"-round-{self.round}" if self.round > 1 else ""
        return f"{self.arm.name}-{self.items}-{model}{again}"


ARMS = (
    Arm(ONE_BY_ONE),
    *(Arm("direct", calls) for calls in (5, 10, 20, 50)),
    *(Arm("chunk", items) for items in (10, 25, 50, 100)),
    *(Arm("batch", requests) for requests in (10, 25, 50, 1_000)),
)
# Jobs that wait for each other take as many times as long: hours, at a provider.
SANDBOX_ARMS = (*ARMS, Arm("in-turn", 25))
# What a further model is sent through, when nobody names arms.
SIDE_ARMS = (Arm("direct", 20), Arm("batch", 50))


def arms_of(names: Iterable[str]) -> tuple[Arm, ...]:
    """The arms of names such as `one-by-one` and `direct-20`, each once.

    Raises:
        UsageError: There is no such arm.
    """
    return tuple(dict.fromkeys(map(_arm, names)))


def _arm(name: str) -> Arm:
    if name == ONE_BY_ONE:
        return Arm(ONE_BY_ONE)
    found = _NAMED.fullmatch(name)
    if found is None or int(found[2]) > _MOST[found[1]]:
        raise UsageError(f"--arms {name!r}: there is no such arm", way_out=f"There are {_FORMS}.")
    kind: Any = found[1]
    return Arm(kind, int(found[2]))


def trials(
    arms: Sequence[Arm],
    models: Sequence[str],
    sizes: Sequence[int],
    *,
    rounds: int,
    sandbox: bool,
) -> list[Trial]:
    """What is run, in its order: a round is whole before the next, so that drifts meet all alike.

    Args:
        arms: Those that were named; none for the usual ones.
        models: Of these a further one takes few arms, unless arms were named.
        sizes: How many items, ascending.
        rounds: How many times each.
        sandbox: Whether nobody waits for jobs in earnest.
    """
    return [
        Trial(arm=arm, model=model, items=items, round=number)
        for number in range(1, rounds + 1)
        for place, model in enumerate(models)
        for arm in arms or _usual(first=place == 0, sandbox=sandbox)
        for items in _sizes(arm, sizes)
    ]


def _usual(*, first: bool, sandbox: bool) -> Sequence[Arm]:
    if not first:
        return SIDE_ARMS
    return SANDBOX_ARMS if sandbox else ARMS


def _sizes(arm: Arm, sizes: Sequence[int]) -> Iterator[int]:
    yield from sizes[-1:] if arm.waits else sizes
