"""The columns that labels add to a table, and how those of the table make room for them. Pure."""

from collections.abc import Sequence

from processor.exports import table

LABEL, LABEL_NAME, LABELED, LABELED_AT = "label", "label_name", "labeled", "labeled_at"
ERROR_CODE, ERROR_MESSAGE, RUN = "error_code", "error_message", "run"

LABELS: Sequence[str] = (LABEL, LABEL_NAME, LABELED, LABELED_AT)
"""Of the labelled table."""
FAILURES: Sequence[str] = (*LABELS, ERROR_CODE, ERROR_MESSAGE, RUN)
"""Of the table of failed rows; the last names the run that their answers belong to."""


def apart(names: Sequence[str]) -> list[str]:
    """The table's own columns beside those of labels: `label` becomes `input_label`.

    The same names in both tables, so that a failed row is found in the whole.
    """
    return table.apart(names, frozenset(FAILURES))
