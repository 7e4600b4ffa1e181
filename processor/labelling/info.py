"""`batch_info_openai.json`: what was submitted last in a folder, for whoever gives no batch id.

It is derived: the ledger of the run knows all of it but the words that were typed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

from processor.errors import UsageError
from processor.exports.atomic import replacing
from processor.labelling.messages import INFO_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """A submission.

    Attributes:
        batch_id: Stands for the whole job; any of `batch_ids` does.
        submitted_at: Local time, in seconds.
        input_file: As it was typed.
        num_articles: Rows of it.
        batch_ids: Of all batches that were made by then.
        run: The run's folder.
        input_sha256: Of the table's bytes.
        model: That was asked.
    """

    batch_id: str
    submitted_at: str
    input_file: str
    num_articles: int
    batch_ids: Sequence[str]
    run: str
    input_sha256: str
    model: str


def now() -> str:
    """The local time as the file has it."""
    return datetime.now().astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


def write(info: Info, path: Path = Path(INFO_NAME)) -> None:
    """Put it in its place in one step.

    Raises:
        LedgerError: The disk refuses.
    """
    with replacing(path) as file:
        file.write(json.dumps(asdict(info), ensure_ascii=False, indent=2) + "\n")


def read(path: Path = Path(INFO_NAME)) -> Info | None:
    """What was submitted last; None when there is no such file.

    Files of the users' own script have the first four values only.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        values = json.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    known = _checked(values)
    if known is None:
        raise _damaged(path)
    return known


def _checked(values: object) -> Info | None:
    if not isinstance(values, dict) or not isinstance(values.get("batch_id"), str):
        return None
    ids = values.get("batch_ids")
    is_list = isinstance(ids, list) and all(isinstance(each, str) for each in ids)
    rows = values.get("num_articles")
    texts = {
        each.name: values[each.name] if isinstance(values.get(each.name), str) else ""
        for each in fields(Info)
        if each.name not in {"batch_ids", "num_articles"}
    }
    return Info(
        **texts,
        batch_ids=ids if is_list and isinstance(ids, list) else [values["batch_id"]],
        num_articles=rows if isinstance(rows, int) else 0,
    )


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f"{path} 파일을 읽을 수 없습니다",
        way_out="--batch-id 로 배치 ID 를 직접 지정하세요.",
    )
