"""What settings are called on the command line and in messages, and their units. Pure."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

# The unit is told where the name does not end in it.
_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "max_output_tokens": "tokens",
        "chunk_size": "items",
        "shard_size": "requests",
        "direct_first": "items",
        "concurrency": "calls",
        "rpm": "requests/min",
        "tpm": "tokens/min",
        "price": "USD per million tokens",
        "limit": "items",
        "repeat": "items a row",
        "min_success": "share",
    }
)
_ENDINGS: Mapping[str, str] = MappingProxyType({"_s": "s", "_usd": "USD"})
_CALLED: Mapping[str, str] = MappingProxyType(
    {"api_key": "OPENAI_API_KEY", "headers": "--header", "": "settings"}
)


def unit_of(name: str) -> str:
    """The unit of a setting; empty where it has none."""
    endings = (unit for ending, unit in _ENDINGS.items() if name.endswith(ending))
    return _UNITS.get(name) or next(endings, "")


def option_of(name: str) -> str:
    """How a setting is called on the command line."""
    if name in _CALLED:
        return _CALLED[name]
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return "--" + name.replace("_", "-")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a complaint about an unknown name: what may have been meant."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""
