r"""What models wrap an answer in: code fences, `$ … $`, `\( … \)`.

A wrapper round an otherwise clean answer is taken off and noted, not refused: nothing is lost,
while asking again would be paid for. What it holds still has to pass every other check.
"""

import re

from processor.tasks.latex.scan import mathematics

_MAX_LAYERS = 3  # a fence, dollars in it, a display within those

# Only these: of "```x^2```" the x is no language.
_LANGUAGE = r"(?:(?:la|ka)?tex|math|plaintext|text|markdown|md)"

# Name of a wrapper, and its pattern.
_WRAPPERS = (
    (
        "code fence",
        re.compile(rf"```(?:{_LANGUAGE}\s)?(?P<inside>.*?)```", re.DOTALL | re.IGNORECASE),
    ),
    ("backticks", re.compile(r"`(?P<inside>[^`]+)`")),
    ("$$ … $$", re.compile(r"\$\$(?P<inside>.+?)(?<!\\)\$\$", re.DOTALL)),
    ("$ … $", re.compile(r"\$(?P<inside>[^$].*?)(?<!\\)\$", re.DOTALL)),
    (r"\[ … \]", re.compile(r"\\\[(?P<inside>.+?)\\\]", re.DOTALL)),
    (r"\( … \)", re.compile(r"\\\((?P<inside>.+?)\\\)", re.DOTALL)),
)
_LEFT_OVER = re.compile(r"(?<!\\)(?:\\\\)*(?:\$|\\[\[(])")
_LAST_SPACE_IS_A_COMMAND = re.compile(r"(?<!\\)(?:\\\\)*\\$")


def trimmed(latex: str) -> str:
    r"""The text without space around it; the space of a last `\ ` stays."""
    text = latex.strip()
    return text + " " if _LAST_SPACE_IS_A_COMMAND.search(text) and text != latex else text


def unwrapped(answer: str) -> tuple[str, tuple[str, ...]]:
    """The answer without its wrappers, and a note for each that was taken off."""
    text, notes = trimmed(answer), []
    for _ in range(_MAX_LAYERS):
        for name, pattern in _WRAPPERS:
            match = pattern.fullmatch(text)
            if match is not None:
                text = trimmed(match["inside"])
                notes.append(f"{name} taken off")
                break
        else:
            break
    return text, tuple(notes)


def wrapping_problem(latex: str) -> str | None:
    """What is wrong when a wrapper is left within the text."""
    if "```" in latex:
        return "The answer holds a code fence. Answer with one bare LaTeX expression only."
    if _LEFT_OVER.search(mathematics(latex)):
        return "The answer holds $ or \\( delimiters. Answer with one bare LaTeX expression only."
    return None
