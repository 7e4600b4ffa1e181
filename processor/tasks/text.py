"""A free text as an answer."""

from processor.items import Accepted, Invalid, Item
from processor.tasks.output import Output


class TextCheck:
    """Accepts a text that keeps to its bounds, without the space around it.

    Args:
        output: The bounds.
        where: File and key, for messages.

    Raises:
        TaskError: The pattern is no regular expression, or none that takes linear time.
    """

    def __init__(self, output: Output, *, where: str) -> None:
        self._least = output.min_chars
        self._most = output.max_chars
        self._forbidden = [(word, word.casefold()) for word in output.forbid]
        self._source = output.pattern
        self._pattern = None
        if output.pattern is not None:
            from processor.tasks.schema import Pattern  # noqa: PLC0415 - a library of 15 MB

            self._pattern = Pattern(output.pattern, where=f"{where}: pattern")

    def __call__(self, _item: Item, answer: str) -> Accepted | Invalid:
        """The text, or what is wrong with it."""
        text = answer.strip()
        problem = self._problem_with(text)
        return Accepted(result=text) if problem is None else Invalid(problem=problem)

    def _problem_with(self, text: str) -> str | None:
        if not text:
            return "The answer is empty."
        if len(text) < self._least:
            least = f"Answer with {self._least:,} characters or more."
            return f"The answer's length is {len(text):,}. {least}"
        if self._most is not None and len(text) > self._most:
            most = f"Answer with {self._most:,} characters at most."
            return f"The answer's length is {len(text):,}. {most}"
        folded = text.casefold() if self._forbidden else ""
        for word, sought in self._forbidden:
            if sought in folded:
                return f"The answer says {word!r}. Answer without that."
        if self._pattern is not None and not self._pattern.is_in(text):
            return f"The answer does not match {self._source!r}. Answer with a text that does."
        return None
