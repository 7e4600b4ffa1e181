"""The kinds of question that the sandbox tells apart."""

from typing import Literal

Kind = Literal["mathml", "label", "persona", "text"]
