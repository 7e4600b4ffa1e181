"""Token counts, estimated.

A token is taken for four bytes of UTF-8. Real tokenizers differ by model and are not installed
everywhere; an estimate that is the same on every machine makes the sandbox's figures repeat.
"""

BYTES_PER_TOKEN = 4


def count_tokens(text: str) -> int:
    """Tokens of a text; nothing has none, anything has at least one."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def cut(text: str, max_tokens: int) -> str:
    """The beginning of a text that has at most so many tokens; never half a character."""
    whole = text.encode()
    kept = whole[: max_tokens * BYTES_PER_TOKEN]
    return text if len(kept) == len(whole) else kept.decode(errors="ignore")
