"""The name that an item's line has in a batch's files: `item-` and its place in the run."""

_PREFIX = "item-"
_DIGITS_MOST = 18  # a larger number is none that the ledger could hold


def custom_id_of(seq: int) -> str:
    """The name of an item's line."""
    return f"{_PREFIX}{seq}"


def seq_of(custom_id: str) -> int | None:
    """The place of the item that a line is about; None when no line of ours has such a name."""
    digits = custom_id[len(_PREFIX) :]
    usual = custom_id.startswith(_PREFIX) and digits.isascii() and digits.isdecimal()
    if not usual or digits[0] == "0" or len(digits) > _DIGITS_MOST:
        return None
    return int(digits)
