"""Labels as results: the key of one, or of several as a JSON list in the order of the labels."""

import json
from collections.abc import Collection, Mapping

_BETWEEN_NAMES = "; "


def result_of(keys: Collection[str], labels: Mapping[str, str]) -> str:
    """The result that stands for several labels, in whatever order and however often named."""
    chosen = [key for key in labels if key in keys]
    return json.dumps(chosen, ensure_ascii=False, separators=(",", ":"))


def name_of(result: str, labels: Mapping[str, str]) -> str | None:
    """The name of a result's label, or the names of its labels; None where they are unknown."""
    if result in labels:
        return labels[result]
    if not result.startswith("["):
        return None
    try:
        keys = json.loads(result)
        names = [labels[key] for key in keys]
    except (ValueError, KeyError, TypeError):  # of before the task was changed
        return None
    return _BETWEEN_NAMES.join(names) or None
