"""Documents written as files: whatever stands in them, wherever."""

import re
from collections.abc import Callable

import pytest

from processor.reporting import html, markdown
from processor.reporting.document import (
    Block,
    Card,
    Cards,
    Code,
    Command,
    Document,
    Figure,
    Foreign,
    Pairs,
    Prose,
    Section,
    Share,
    Shares,
    Side,
    Specimen,
    Specimens,
    Table,
    cells,
)

_ODD = "a\x00\ud800<b>|`\x1b\r\nc"


def document() -> Document:
    line = (_ODD, Foreign(_ODD), Code(_ODD), Figure("total", 1, _ODD))
    specimen = Specimen(_ODD, _ODD, "bad", line, [Side(_ODD, _ODD)], [(_ODD, _ODD)], [line])
    blocks: list[Block] = [
        Prose(line),
        Cards([Card(_ODD, Figure("total", 1, _ODD), line)], _ODD),
        Shares(_ODD, [Share(_ODD, Figure("total", 1, _ODD), 1.0, "good")]),
        Table(_ODD, [_ODD, _ODD], [cells(line, Foreign(_ODD))]),
        Pairs([(_ODD, line)]),
        Command(_ODD),
        Specimens([specimen]),
    ]
    return Document(
        kicker=_ODD,
        title=_ODD,
        state=_ODD,
        tone="good",
        about=line,
        head=blocks,
        sections=[Section("one", _ODD, blocks)],
        foot=line,
    )


@pytest.mark.parametrize("written", [html.written, markdown.written])
def test_every_text_can_be_written_wherever_it_stands(
    written: Callable[[Document], str],
) -> None:
    told = written(document())
    assert not re.search("[\x00\x1b\r\ud800]", told)
    assert told.encode().decode() == told
