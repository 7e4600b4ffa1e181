"""A fault: what goes wrong, and for whom."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import orjson


class FaultError(ValueError):
    """A fault cannot be; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, and for whom: every selector that is given must hold.

    Attributes:
        kind: A name of the registry (`kinds.KINDS`).
        rate: Share that it hits, drawn from the seed: of the items when `times` is given, of the
            tries otherwise.
        times: Only the first so many tries of each item.
        after: Only once so many requests got so far since the fault was set.
        until: Only up to the so-many-th of them.
        count: At most so many in all.
        match: Only items whose question contains this text; of the Files and Batch APIs, only what
            has it in its name or metadata.
        on: Where it hits (`places`); the empty text for where its kind hits by itself.
        delay_s: How long it waits before it goes wrong.
        params: What the kind takes.
        headers: Response headers to add; a name contains a hyphen.
    """

    kind: str
    rate: float = 1.0
    times: int | None = None
    after: int = 0
    until: int | None = None
    count: int | None = None
    match: str = ""
    on: str = ""
    delay_s: float = 0.0
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the selectors.

        Raises:
            FaultError: One is out of range.
        """
        if not 0 <= self.rate <= 1:
            raise FaultError(f"fault {self.kind}: rate must be a share from 0 to 1")
        for name in ("times", "after", "until", "count"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise FaultError(f"fault {self.kind}: {name} must be 0 or more")
        if not 0 <= self.delay_s < float("inf"):
            raise FaultError(f"fault {self.kind}: delay_s must be 0 or more")


_SELECTORS: dict[str, type] = {
    "rate": float,
    "times": int,
    "after": int,
    "until": int,
    "count": int,
    "match": str,
    "on": str,
    "delay_s": float,
}
# A comma begins the next option only where a name and "=" follow: dates keep theirs.
_NEXT_OPTION = re.compile(r",(?=[A-Za-z_][\w-]*=)")


def parse_fault(text: str) -> Fault:
    """A fault from `KIND`, `KIND:rate=0.01,times=2,retry-after=5` or the JSON of the same.

    Raises:
        FaultError: The text is no fault.
    """
    if text.lstrip().startswith("{"):
        try:
            return fault_from(orjson.loads(text))
        except orjson.JSONDecodeError as error:
            raise FaultError(f"a fault is no JSON: {error}") from error
    kind, _, rest = text.partition(":")
    options: dict[str, Any] = {}
    for option in _NEXT_OPTION.split(rest) if rest else ():
        name, equals, value = option.partition("=")
        if not equals or name in options:
            raise FaultError(f"fault {kind}: {option!r} is no option, or given twice")
        options[name] = value
    return fault_from({"kind": kind, **options})


def fault_from(options: Any) -> Fault:
    """A fault from a flat object: `kind`, selectors, the kind's parameters, headers.

    Raises:
        FaultError: It is no such object.
    """
    if not isinstance(options, dict) or not isinstance(options.get("kind"), str):
        raise FaultError("a fault is an object with a text field 'kind'")
    kind = options["kind"]
    chosen: dict[str, Any] = {}
    params: dict[str, str] = {}
    headers: dict[str, str] = {}
    for name, value in options.items():
        if name == "kind":
            continue
        if name in _SELECTORS:
            chosen[name] = _selector(kind, name, value)
        else:
            (headers if "-" in name else params)[name.lower()] = _text(kind, name, value)
    return Fault(kind=kind, params=params, headers=headers, **chosen)


def fault_to(fault: Fault) -> dict[str, Any]:
    """The flat object that `fault_from` reads; selectors that select nothing are left out."""
    selectors = {
        option.name: getattr(fault, option.name)
        for option in fields(fault)
        if option.name in _SELECTORS and getattr(fault, option.name) != option.default
    }
    return {"kind": fault.kind, **selectors, **fault.params, **fault.headers}


def _selector(kind: str, name: str, value: Any) -> Any:
    try:
        return _SELECTORS[name](value)
    except (TypeError, ValueError) as error:
        expected = {float: "a number", int: "a whole number", str: "a text"}[_SELECTORS[name]]
        raise FaultError(f"fault {kind}: {name} must be {expected}, not {value!r}") from error


def _text(kind: str, name: str, value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if "-" in name and not text.isprintable():
        raise FaultError(f"fault {kind}: header {name} must be printable")
    return text
