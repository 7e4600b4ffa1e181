"""What a key asks for."""

from enum import StrEnum
from types import MappingProxyType
from typing import Literal

Name = str
"""Of a key: its letter or sign, or `up`, `down`, `enter`, `esc`."""

_SEQUENCES = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1bOM": "enter",
}
_SINGLE = {"\r": "enter", "\n": "enter", "\x1b": "esc", "\x03": "q", "k": "up", "j": "down"}
# The same keys where Korean is being typed.
_KOREAN = dict(zip("ㅔㄱㅇㄹㅂㅛㅜㅏㅓ", "prdfqynkj", strict=True))
# Nobody types so many at once: it was pasted, or is an answer of the terminal.
_PASTED = 8


class Act(StrEnum):
    """What somebody wants of the run, or of what is shown of it."""

    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    MORE = "more"
    FEWER = "fewer"
    REQUEUE = "requeue"
    QUIT = "quit"
    HELP = "help"
    UP = "up"
    DOWN = "down"
    OPEN = "open"
    BACK = "back"


Mode = Literal["one", "several"]

_ALWAYS = {"q": Act.QUIT, "?": Act.HELP, "h": Act.HELP, "esc": Act.BACK}
_OF_ONE = {
    "p": Act.PAUSE,
    "r": Act.RESUME,
    "d": Act.DRAIN,
    "+": Act.MORE,
    "=": Act.MORE,  # the same key without shift
    "-": Act.FEWER,
    "f": Act.REQUEUE,
}
_OF_SEVERAL = {"up": Act.UP, "down": Act.DOWN, "enter": Act.OPEN}
_ACTS = MappingProxyType({"one": _ALWAYS | _OF_ONE, "several": _ALWAYS | _OF_SEVERAL})


def decoded(data: bytes) -> list[Name]:
    """The keys behind what a terminal sent in one piece; none of what was pasted."""
    rest, names = data, []
    while rest:
        sequence = next((one for one in _SEQUENCES if rest.startswith(one)), None)
        if sequence is not None:
            names.append(_SEQUENCES[sequence])
            rest = rest[len(sequence) :]
        elif rest[:2] in (b"\x1b[", b"\x1bO"):
            rest = _behind_sequence(rest)
        else:
            mark = rest.decode(errors="replace")[0]
            names.append(_KOREAN.get(mark) or _SINGLE.get(mark, mark))
            rest = rest[len(mark.encode()) if mark != "\ufffd" else 1 :]
    return names if len(names) < _PASTED else []


def act_of(name: Name, mode: Mode) -> Act | None:
    """What a key means; None when it means nothing."""
    return _ACTS[mode].get(name)


def place_of(name: Name) -> int | None:
    """Which run of the list a digit opens, from 0; None for another key."""
    return int(name) - 1 if name in "123456789" else None


def _behind_sequence(rest: bytes) -> bytes:
    """What follows an escape sequence that says nothing here."""
    for place, byte in enumerate(rest[2:], start=2):
        if 0x40 <= byte <= 0x7E:
            return rest[place + 1 :]
    return b""
