"""Words round a LaTeX answer that the source does not have: explanations, greetings."""

import re

from processor.tasks.latex.scan import TEXT, mathematics

_COMMAND = re.compile(r"\\[A-Za-z]+")
# Three words, or two that are too long for products of variables. From where a word begins, here
# and below, so that one without an end is looked at once.
_SENTENCE = re.compile(
    r"(?<![A-Za-z])(?:[A-Za-z]{2,}+(?:[ ,.:;'’\n-]++[A-Za-z]{2,}+){2,}"
    r"|[A-Za-z]{4,}+[ ,.\n]++[A-Za-z]{4,})"
)
_LEAD = re.compile(r"(?<![A-Za-z])[A-Za-z]{4,}+\s*+:(?!=)")
_HANGUL = re.compile(r"[가-힣]+(?:[ ,.]+[가-힣]+)*")
_TEXT_OR_HANGUL = re.compile(
    f"(?P<text>{TEXT.pattern})|(?:(?<! ) ++)?{_HANGUL.pattern} *", re.DOTALL
)
_TAG_OR_SPACE = re.compile(r"<[^>]*>|\s+")


def with_korean_wrapped(latex: str, source: str) -> tuple[str, tuple[str, ...]]:
    r"""Korean of the source that stands bare in the answer, put into `\text{…}`."""
    if not _HANGUL.search(latex):
        return latex, ()
    visible = _visible(source)
    notes: tuple[str, ...] = ()

    def wrap(match: re.Match[str]) -> str:
        nonlocal notes
        if match["text"] is not None or _TAG_OR_SPACE.sub("", match[0]) not in visible:
            return match[0]
        notes = (r"Korean put into \text",)
        return rf"\text{{{match[0]}}}"

    return _TEXT_OR_HANGUL.sub(wrap, latex), notes


def prose_problem(latex: str, source: str) -> str | None:
    """What is wrong when the answer holds words that are no part of the formula."""
    bare = _COMMAND.sub("\\\\", mathematics(latex))
    found = _SENTENCE.search(bare) or _LEAD.search(bare) or _HANGUL.search(bare)
    if found is None or _TAG_OR_SPACE.sub("", found[0]) in _visible(source):
        return None
    words = " ".join(found[0].split())[:40]
    return (
        f'The answer holds words outside the formula ("{words}"). Answer with the LaTeX of the '
        "source only; words of the source belong in \\text{…}."
    )


def _visible(source: str) -> str:
    return _TAG_OR_SPACE.sub("", source)
