r"""The parts of a LaTeX text: words meant as words (`\text{…}`) and the mathematics around them."""

import re

_NESTED = r"\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.|\{(?:[^{}\\]|\\.)*+\})*+\})*+\}"

# Commands whose argument is words, with the argument; braces in it nest twice at most.
TEXT = re.compile(
    r"\\(?:text[a-z]*|mbox|operatorname\*?|math(?:rm|bf|sf|tt|it|bb|cal|frak|scr)|begin|end)\s*"
    + _NESTED,
    re.DOTALL,
)


def mathematics(latex: str) -> str:
    r"""The text without words in `\text{…}` and the like."""
    return TEXT.sub(" ", latex) if "{" in latex else latex
