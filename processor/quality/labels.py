"""Labels as results and as cells of the input."""

import json
from collections.abc import Mapping

from processor import labels as results
from processor.tasks.label import Vocabulary


def keys_of(result: str, *, several: bool) -> list[str]:
    """The keys of a result, or of what people wrote for one.

    Args:
        result: A key, or a JSON list of keys.
        several: The task gives several labels.
    """
    if not several or not result.startswith("["):
        return [result]
    try:
        found = json.loads(result)
    except ValueError:
        return [result]
    return [str(key) for key in found]


class Given:
    """Reads labels as people write them into a column: by key, by name, or by half a name.

    Args:
        labels: Key to name.
    """

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._vocabulary = Vocabulary(labels)

    def result(self, cell: str | None, *, several: bool) -> str | None:
        """The result that a cell stands for; None for an empty one, itself for no known label.

        Args:
            cell: What stands there.
            several: Labels may stand between commas or semicolons, or as a JSON list.
        """
        if cell is None or not cell.strip():
            return None
        if not several:
            return self._key(cell) or cell.strip()
        parts = [part for part in cell.strip(" []").replace(";", ",").split(",") if part.strip()]
        keys = [self._key(part) for part in parts]
        known = [key for key in keys if key is not None]
        if not known or len(known) < len(keys):
            return cell.strip()
        return results.result_of(known, self._labels)

    def _key(self, cell: str) -> str | None:
        """The label that a text is; spreadsheets make `1.0` of 1."""
        known = self._vocabulary
        return known.exact(cell) or known.exact(cell.strip().removesuffix(".0"))
