"""Why a batch failed as a whole: which of the known causes it was, and the remedy. Pure."""

import re
from dataclasses import dataclass

_LINE = re.compile(r"\(line (\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failed batch.

    Attributes:
        cause: In words.
        line: Of the file of requests; None when none is named.
        remedy: What to do.
        told: What the provider said.
    """

    cause: str
    line: int | None
    remedy: str
    told: str


@dataclass(frozen=True, slots=True)
class _Cause:
    name: str
    marks: tuple[str, ...]
    remedy: str


# The first whose mark is in the code or the message; the provider's codes, then its words.
_CAUSES = (
    _Cause(
        "토큰 한도 초과",
        ("token_limit", "enqueued token", "too_many_tasks", "token limit"),
        "진행 중인 배치가 끝난 뒤 --mode submit 을 다시 실행하거나 --shard-size 로 더 작게 "
        "나누세요.",
    ),
    _Cause(
        "크레딧 부족",
        (
            *("insufficient_quota", "billing", "credit", "spend_limit", "usage_limit"),
            *("exceeded your current quota", "quota"),
        ),
        "결제 정보를 확인하고 크레딧을 채운 뒤 --mode submit 을 다시 실행하세요.",
    ),
    _Cause(
        "입력 파일 형식 오류",
        (
            *("invalid_json_line", "empty_file", "invalid_file", "input_modified"),
            *("duplicate_custom_id", "encoding", "not json", "jsonl"),
        ),
        "표시된 줄을 확인하고 입력 CSV 를 고친 뒤 --mode submit 을 다시 실행하세요.",
    ),
)
_MALFORMED = _Cause(
    "잘못된 요청 형식",
    (),
    "모델 이름(--model), --temperature, --prompt 를 확인한 뒤 --mode submit 을 다시 실행하세요.",
)


def trouble_of(problem: str) -> Trouble:
    """Which of the causes a provider's words mean.

    Args:
        problem: As the ledger keeps it: `code: message (line 3)`.
    """
    words = problem.lower()
    cause = next((one for one in _CAUSES if any(mark in words for mark in one.marks)), _MALFORMED)
    line = _LINE.search(problem)
    return Trouble(
        cause=cause.name,
        line=int(line[1]) if line else None,
        remedy=cause.remedy,
        told=problem,
    )
