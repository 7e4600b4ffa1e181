"""Text that a terminal shows and does not obey."""

import re

# What moves the cursor, colours, renames the window, or turns the direction of the text.
_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    r"""One line, in which commands are written out: `\x1b`."""
    return _COMMANDS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def in_json(line: bytes) -> bytes:
    r"""A line of JSON with the same values, in which commands are escaped: `\u009b`.

    Args:
        line: As orjson writes it, which escapes everything below a space.
    """
    if line.isascii() and b"\x7f" not in line:
        return line
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()
