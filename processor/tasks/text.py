"""A free text as an answer."""

from processor.items import Accepted, Invalid, Item


def check_text(_item: Item, answer: str) -> Accepted | Invalid:
    """Accepts any answer with something in it, without the space around it."""
    text = answer.strip()
    return Accepted(result=text) if text else Invalid(problem="The answer is empty.")
