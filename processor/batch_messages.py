"""What the log says of the batch lane's steps in the users' language, as its chunk lines do."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from processor.notice import Notice

Facts = Mapping[str, Any]


def message_of(notice: Notice) -> str | None:
    """The message of a step or a decision; None for others, and for what brings its own."""
    words = _WORDS.get(notice.event)
    return None if words is None or "message" in notice.facts else words(notice.facts)


def _status(facts: Facts) -> str:
    done, total = (facts["completed"] or 0) + (facts["failed"] or 0), facts["total"]
    counts = f", 진행률 {done}/{total} ({100 * done / total:.1f}%)" if total else ""
    return f"배치 작업 {facts['batch']} 상태 {facts['status']}{counts}"


def _decision(facts: Facts) -> str:
    parts = [f"배치 {facts['batch']}건"] if facts["batch"] else []
    parts += [f"직접 {facts['direct']}건"] if facts["direct"] else []
    parts += [f"배치 {len(facts['cancel'])}개 회수"] if facts["cancel"] else []
    late = " (마감 초과 예상)" if facts["forecast"] == "no" else ""
    return f"마감 결정: {', '.join(parts)}{late}"


_WORDS: Mapping[str, Callable[[Facts], str]] = MappingProxyType(
    {
        "shard_written": lambda facts: (
            f"배치 파일 {facts['shard']:03d} 생성 완료: {facts['items']}개 요청"
        ),
        "shard_uploaded": lambda facts: (
            f"배치 파일 {facts['shard']:03d} 업로드 완료: {facts['file']}"
        ),
        "batch_created": lambda facts: (
            f"배치 작업 생성 완료: {facts['batch']} (배치 파일 {facts['shard']:03d})"
        ),
        "batch_found": lambda facts: (
            f"기존 배치 작업 {facts['batch']} 이어받음 (배치 파일 {facts['shard']:03d})"
        ),
        "batch_status": _status,
        "batch_overdue": lambda facts: (
            f"배치 작업 {facts['batch']} 지연: {facts['age_s'] / 3600:.0f}시간째 {facts['status']}"
        ),
        "route_changed": lambda facts: (
            f"직접 호출 한도 소진: 남은 {facts['items']}개를 배치로 전송"
        ),
        "batch_stuck": lambda facts: (
            f"배치 작업 {facts['batch']} 검증 지연: {facts['age_s'] / 3600:.1f}시간째, "
            "취소 후 직접 전송"
        ),
        "decision": _decision,
        "budget_full": lambda facts: f"배치 파일 {facts['shard']:03d} 대기: 예산 부족",
        "shard_settled": lambda facts: (
            f"배치 파일 {facts['shard']:03d} 정산 완료: 응답 {facts['answered']}/{facts['items']}"
        ),
    }
)
