"""What the three commands print, line by line, in the users' words. Scripts parse these lines."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from processor.labelling.cost import Cost, Hours
from processor.plan.prices import dollars

REQUESTS_NAME = "batch_openai.jsonl"
INFO_NAME = "batch_info_openai.json"

_FEW_IDS = 3


def percent(count: int, of: int) -> str:
    """`31.7%`; of nothing, `0.0%`."""
    return f"{100 * count / of if of else 0.0:.1f}%"


def estimate(cost: Cost, hours: Hours) -> Iterator[str]:
    """What a job will cost and how long it may take, before it is sent."""
    yield f"💰 예상 비용: {_money(cost)} · {_tokens(cost)}"
    longer = " 이상" if hours.is_open else ""
    yield f"⏱️ 예상 소요 시간: {hours.least}~{hours.most}시간{longer}"


def making(rows: int) -> str:
    """The first line of a submission."""
    return f"📝 배치 파일 생성 중... ({rows}개 기사)"


def made() -> Iterator[str]:
    """The requests are written."""
    yield f"✅ 배치 파일 생성 완료: {REQUESTS_NAME}"
    yield "📤 배치 업로드 중..."


def uploaded(file_id: str) -> str:
    """A file has arrived."""
    return f"✅ 파일 업로드 완료: {file_id}"


def created(batch_id: str, status: str) -> Iterator[str]:
    """The batch is made; the id stands for the whole job."""
    yield "✅ 배치 작업 생성 완료!"
    yield f"   배치 ID: {batch_id}"
    yield f"   상태: {status}"
    yield "   완료 예정: 24시간 이내"


def several(batches: int, rows: int, waiting: int) -> Iterator[str]:
    """The job is in several batches, or not all of it is in one yet."""
    if batches > 1:
        yield f"   배치 작업: {batches}개 ({rows}개 기사, 위의 배치 ID 하나로 전체를 다룹니다)"
    if waiting:
        yield (
            f"   대기 중: {waiting}개 기사 (한도에 자리가 나는 대로 check 와 download 가 보냅니다)"
        )


def saved_info() -> str:
    """The last line of a submission."""
    return f"✅ 배치 정보 저장: {INFO_NAME}"


def links() -> Iterator[str]:
    """Where the provider shows the same."""
    yield "🔗 배치: https://platform.openai.com/batches"
    yield "🔗 사용량: https://platform.openai.com/usage"
    yield "🔗 가격: https://openai.com/api/pricing"


def status(batch_id: str, state: str, done: int, total: int) -> Iterator[str]:
    """How a job is; nothing else that is printed beside it may hold the word for status."""
    yield "📊 배치 상태"
    yield f"   ID: {batch_id}"
    yield f"   상태: {state}"
    yield f"   진행률: {done}/{total} ({percent(done, total)})"


def working() -> str:
    """It is not done yet."""
    return "   ⏳ 처리 중... 나중에 다시 확인하세요"


def finished() -> str:
    """It is done."""
    return "   ✅ 완료: --mode download 로 결과를 받으세요"


def cut_short(ids: tuple[str, ...]) -> str:
    """Why a job takes longer than its first batches."""
    return f"   ⚠️ 만료되거나 취소된 배치: {some(ids)} (답이 없는 기사는 새 배치로 다시 보냅니다)"


def left(shards: Sequence[int], folder: str) -> Iterator[str]:
    """What to do about answers that do not come by themselves."""
    for number in shards[:_FEW_IDS]:
        yield (
            f"      해결 방법: 키와 프로젝트를 확인하고, 답이 정말 없어졌다면 다시 보내세요(비용이 "
            f"다시 듭니다): processor batch submit {shlex.quote(folder)} --again {number}"
        )
    if len(shards) > _FEW_IDS:
        yield f"      … 모두 {len(shards)}개"


def loading(path: str) -> str:
    """The first line of a download."""
    return f"📂 원본 데이터 로드: {path}"


def loaded(rows: int) -> str:
    """The table is read."""
    return f"✅ {rows}개 기사 로드"


def results(labelled: int, failed: int) -> Iterator[str]:
    """What came of the rows."""
    yield "✅ 결과 다운로드 완료"
    yield f"   성공: {labelled}개"
    yield f"   실패: {failed}개"


def saved(path: str) -> str:
    """The table is written."""
    return f"✅ 결과 저장 완료: {path}"


def distribution(counts: Mapping[str, int], names: Mapping[str, str], rows: int) -> Iterator[str]:
    """How often each label was given; percentages are of all rows."""
    yield "📊 라벨 분포:"
    for key, name in names.items():
        count = counts.get(key, 0)
        yield f"   {key} ({name}): {count}개 ({percent(count, rows)})"


def failures(path: str, rows: int) -> str:
    """Where the rows are that have no label."""
    return f"⚠️ 라벨링 실패 항목: {path} ({rows}개)"


def submit_again(path: str) -> str:
    """What to do about them."""
    return f"   다시 제출: --mode submit --input {path}"


def done() -> str:
    """The last line of a download."""
    return "🎉 라벨링 완료!"


def spent(cost: Cost) -> str:
    """What a job has cost."""
    return f"💰 실제 비용: {_money(cost)} · {_tokens(cost)}"


def refused(rows: int) -> str:
    """Rows that were not sent because nothing can be asked about them."""
    return f"⚠️ 본문이 비어 있어 보내지 않은 행: {rows}개 (라벨 없음)"


def changed(new: int, moved: bool, unused: int) -> Iterator[str]:
    """What of the table is not as it was when it was sent."""
    if moved:
        yield "⚠️ 입력 파일의 행 순서가 제출할 때와 다릅니다: 답은 행의 내용으로 찾아 붙였습니다"
    if new:
        yield f"⚠️ 제출한 뒤에 새로 생기거나 바뀐 행: {new}개 (라벨 없음)"
    if unused:
        yield f"⚠️ 입력 파일에 더 이상 없는 행의 답: {unused}개 (쓰지 않음)"


def kept(rows: int) -> str:
    """Rows whose label an earlier download has written."""
    return f"♻️ 기존 결과 파일의 라벨 유지: {rows}개"


def _money(cost: Cost) -> str:
    if cost.batch_usd is None or cost.direct_usd is None:
        return "가격을 알 수 없음 (--price 로 지정)"
    return f"{dollars(cost.batch_usd)} (Batch API) / {dollars(cost.direct_usd)} (일반 API)"


def _tokens(cost: Cost) -> str:
    return f"입력 {cost.input_tokens:,}토큰, 출력 {cost.output_tokens:,}토큰"


def some(ids: tuple[str, ...]) -> str:
    """A few names out of many."""
    more = f" 외 {len(ids) - _FEW_IDS}개" if len(ids) > _FEW_IDS else ""
    return ", ".join(ids[:_FEW_IDS]) + more
