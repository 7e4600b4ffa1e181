"""The three commands of the labelling script, against a sandbox whose time is moved by hand."""

import json
from collections.abc import Iterator

import pytest
from command_line import SAY, Shell
from labelling_bench import FAILED, INPUT, OUTPUT, Newsroom, status_of

from processor.ledger import lock
from processor.sandbox_process import sandbox

HALF_S = 30.0  # of the lines of a batch
LONG, ROOM_TOKENS = 2_000 * ".", 12_000  # room for about ten such rows


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    options = ["--validating-s", "1", "--in-progress-s", f"{2 * HALF_S}", "--finalizing-s", "1"]
    with sandbox(["--latency-ms", "0", "--manual-clock", *options]) as url:
        yield url


@pytest.fixture
def news(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    shell.forget()
    return Newsroom(shell)


def test_the_lines_are_those_that_scripts_parse(news: Newsroom) -> None:
    news.articles(8)
    said = news.submit("--price", "1,2")
    info = news.info()
    (file_line,) = [line for line in said.out.splitlines() if "업로드 완료" in line]
    assert said.code == 0
    assert said.out.splitlines()[2:] == [
        "📝 배치 파일 생성 중... (8개 기사)",
        "✅ 배치 파일 생성 완료: batch_openai.jsonl",
        "📤 배치 업로드 중...",
        f"✅ 파일 업로드 완료: {file_line.split()[-1]}",
        "✅ 배치 작업 생성 완료!",
        f"   배치 ID: {info['batch_id']}",
        "   상태: validating",
        "   완료 예정: 24시간 이내",
        "✅ 배치 정보 저장: batch_info_openai.json",
    ]
    assert said.out.startswith("💰 예상 비용: $")
    assert "1~3시간" in said.out.splitlines()[1]
    news.shell.pass_time(1 + HALF_S)
    said = news.check("--batch-id", info["batch_id"])
    assert said.code == 0
    assert said.out.splitlines() == [
        "📊 배치 상태",
        f"   ID: {info['batch_id']}",
        "   상태: in_progress",
        "   진행률: 4/8 (50.0%)",
        "   ⏳ 처리 중... 나중에 다시 확인하세요",
    ]
    news.end_batches()
    assert status_of(news.check().out) == "completed"
    said = news.download("--batch-id", info["batch_id"])
    labels = list(news.labels().values())
    of = {key: f"{labels.count(key)}개 ({100 * labels.count(key) / 8:.1f}%)" for key in "012"}
    assert said.code == 0
    assert said.out.splitlines()[:-2] == [
        f"📂 원본 데이터 로드: {INPUT}",
        "✅ 8개 기사 로드",
        "✅ 결과 다운로드 완료",
        "   성공: 8개",
        "   실패: 0개",
        f"✅ 결과 저장 완료: {OUTPUT}",
        "📊 라벨 분포:",
        f"   0 (옹호 (Support)): {of['0']}",
        f"   1 (중립 (Neutral)): {of['1']}",
        f"   2 (비판 (Oppose)): {of['2']}",
    ]
    assert said.out.splitlines()[-1] == "🎉 라벨링 완료!"


def test_the_files_are_those_that_users_know(news: Newsroom) -> None:
    rows = news.articles(5)
    assert news.submit().code == 0
    info = news.info()
    assert list(info)[:4] == ["batch_id", "submitted_at", "input_file", "num_articles"]
    assert (info["input_file"], info["num_articles"]) == (INPUT, 5)
    assert len(info["submitted_at"]) == len("2024-01-15T10:30:00")
    requests = news.requests()
    assert len({request["custom_id"] for request in requests}) == 5
    first = requests[0]["body"]["messages"]
    assert first[0]["role"] == "system"
    assert "날짜: N/A" in first[1]["content"]  # the cell is empty
    assert "언론사: N/A" in first[1]["content"]  # there is no such column
    news.end_batches()
    assert news.download().code == 0
    found = news.read()
    own = [{name: row[name] for name in rows[0]} for row in found]
    assert own == rows
    names = {"0": "옹호 (Support)", "1": "중립 (Neutral)", "2": "비판 (Oppose)"}
    assert list(found[0])[-4:] == ["label", "label_name", "labeled", "labeled_at"]
    for row in found:
        assert (row["label_name"], row["labeled"]) == (names[row["label"]], "True")
        assert len(row["labeled_at"]) == len("2024-01-15 14:30:00")


def test_too_early_is_told_and_writes_nothing(news: Newsroom) -> None:
    news.articles(6)
    assert news.submit().code == 0
    news.shell.pass_time(1 + HALF_S)
    said = news.download()
    assert said.code == 6
    assert "진행률: 3/6 (50.0%)" in said.out
    assert not news.path(OUTPUT).exists()


def test_the_same_table_is_paid_once_unless_somebody_insists(news: Newsroom) -> None:
    news.articles(5)
    assert news.submit().code == 0
    first = news.info()["batch_id"]
    said = news.submit()
    assert said.code == 1
    assert first in said.err
    assert "--force" in said.err
    news.end_batches()
    assert news.download().code == 0
    assert news.submit().code == 1
    assert news.created() == 1
    assert news.submit("--force").code == 0
    second = news.info()["batch_id"]
    assert second != first
    assert news.created() == 2
    # Both are still known, each with its own answers.
    assert status_of(news.check("--batch-id", first).out) == "completed"
    assert status_of(news.check("--batch-id", second).out) == "validating"


def test_another_prompt_is_another_payment(news: Newsroom) -> None:
    news.articles(3)
    assert news.submit().code == 0
    assert news.submit("--prompt", "{text}?").code == 1
    assert news.submit("--prompt", "{text} 0, 1, 2?").code == 1
    first = news.info()["batch_id"]
    for prompt in ("{text} 0, 1, 2 중 하나", "{text} 0, 1, 2 중 하나만"):
        assert news.submit("--prompt", prompt, "--force").code == 0
    assert news.created() == 3
    news.end_batches()
    for each in (first, *news.info()["batch_ids"]):
        assert status_of(news.check("--batch-id", each).out) == "completed"
        assert news.download("--batch-id", each).code == 0


def test_rows_that_are_new_are_paid_and_others_are_not(news: Newsroom) -> None:
    news.articles(4)
    assert news.submit().code == 0
    news.end_batches()
    assert news.check().code == 0
    news.articles(6)
    said = news.submit()
    assert said.code == 0
    assert "(2개 기사)" in said.out
    news.end_batches()
    assert news.download().code == 0
    assert len(news.labels()) == 6
    assert news.shell.stats()["paid"] == 6


def test_a_table_that_was_sorted_anew_gets_the_same_labels(news: Newsroom) -> None:
    rows = news.articles(12)
    assert news.submit().code == 0
    news.end_batches()
    assert news.download().code == 0
    before = news.labels()
    news.rewrite(rows[::-1])
    said = news.download()
    assert said.code == 0
    assert "행 순서가" in said.out
    assert [row["text"] for row in news.read()] == [row["text"] for row in rows[::-1]]
    assert news.labels() == before


def test_rows_that_changed_stay_without_a_label(news: Newsroom) -> None:
    rows = news.articles(6)
    assert news.submit().code == 0
    news.end_batches()
    assert news.download().code == 0
    before = news.labels()
    inserted = {"text": "나중에 들어온 기사", "title": "", "date": ""}
    changed = {**rows[2], "text": rows[2]["text"] + " 고침"}
    news.rewrite([inserted, *rows[:2], changed, *rows[3:]])
    said = news.download()
    assert said.code == 2
    assert "제출한 뒤에 새로 생기거나 바뀐 행: 2개" in said.out
    assert "더 이상 없는 행의 답: 1개" in said.out
    after = news.labels()
    assert [after[row["text"]] for row in (inserted, changed)] == ["", ""]
    assert all(after[row["text"]] == before[row["text"]] for row in (*rows[:2], *rows[3:]))
    assert len(news.read(FAILED)) == 2
    # They are sent from there, and nothing else is.
    assert "(2개 기사)" in news.submit(table=FAILED).out
    news.end_batches()
    assert news.check().code == 0
    assert news.download().code == 0
    assert "" not in news.labels().values()
    assert news.shell.stats()["paid"] == 8


def test_a_column_that_nobody_is_asked_about_may_change(news: Newsroom) -> None:
    rows = news.articles(4)
    assert news.submit().code == 0
    news.end_batches()
    news.rewrite([{**row, "memo": "봤음"} for row in rows])
    said = news.download()
    assert said.code == 0
    assert [row["memo"] for row in news.read()] == ["봤음"] * 4


def test_a_column_more_is_not_paid_again(news: Newsroom) -> None:
    rows = news.articles(4)
    assert news.submit().code == 0
    news.end_batches()
    assert news.check().code == 0
    new = {"memo": "", "text": "새로 온 기사", "title": "", "date": ""}
    rows = [{"memo": "봤음", **row} for row in rows]
    news.rewrite(rows)
    said = news.submit()
    assert said.code == 1
    assert "새로 보낼 기사가 없습니다" in said.err
    news.rewrite([*rows, new])
    assert "(1개 기사)" in news.submit().out
    news.end_batches()
    assert news.download().code == 0
    assert (news.shell.stats()["paid"], len(news.labels())) == (5, 5)


def test_failed_rows_may_pass_through_a_spreadsheet(news: Newsroom) -> None:
    rows = news.articles(4)
    assert news.submit("--rounds", "1").code == 0
    news.shell.fault("bad_request:on=line,count=2")
    news.end_batches()
    assert news.check().code == 0
    assert news.download().code == 2
    news.shell.reset()
    news.rewrite([{**row, "확인": "예"} for row in news.read(FAILED)], FAILED)
    assert "(2개 기사)" in news.submit(table=FAILED).out
    news.end_batches()
    assert news.download().code == 0
    assert [row["text"] for row in news.read()] == [row["text"] for row in rows]


def test_rows_that_are_alike_all_get_their_label(news: Newsroom) -> None:
    rows = news.articles(3)
    news.rewrite([rows[0], rows[1], rows[0], rows[2], rows[0]])
    assert news.submit().code == 0
    news.end_batches()
    assert news.download().code == 0
    found = news.read()
    assert [row["labeled"] for row in found] == ["True"] * 5
    assert found[0]["label"] == found[2]["label"] == found[4]["label"]


@pytest.mark.parametrize("again", [INPUT, FAILED])
def test_failed_rows_are_sent_and_merged_until_none_is_left(news: Newsroom, again: str) -> None:
    rows = news.articles(20)
    rows = [{**row, "label": "정답 없음"} for row in rows]  # a column of the user's own
    news.rewrite(rows)
    assert news.submit("--rounds", "1").code == 0
    news.shell.fault("bad_request:on=line,count=4")
    news.end_batches()
    assert status_of(news.check().out) == "completed"
    said = news.download()
    assert said.code == 2
    assert "   성공: 16개\n   실패: 4개\n" in said.out
    assert f"⚠️ 라벨링 실패 항목: {FAILED} (4개)\n" in said.out
    first = news.labels()
    for left in (1, 0):
        assert news.submit(table=FAILED).code == 0
        assert news.submit(table=FAILED).code == 1  # it is on its way
        news.shell.reset()
        if left:
            news.shell.fault(f"bad_request:on=line,count={left}")
        news.end_batches()
        assert status_of(news.check().out) == "completed"
        assert news("--mode", "download", "--input", again, "--output", OUTPUT).code == 2 * left
        found = news.read()
        assert [row["text"] for row in found] == [row["text"] for row in rows]
        assert [row["input_label"] for row in found] == ["정답 없음"] * 20
        assert sum(row["labeled"] == "False" for row in found) == left
    after = news.labels()
    assert all(after[text] == label for text, label in first.items() if label)
    assert not news.path(FAILED).exists()


def test_failed_rows_asked_otherwise_join_the_table_that_is_there(news: Newsroom) -> None:
    news.articles(10)
    assert news.submit("--rounds", "1").code == 0
    news.shell.fault("bad_request:on=line,count=3")
    news.end_batches()
    assert news.check().code == 0
    assert news.download().code == 2
    first = news.info()["batch_id"]
    before = {text: label for text, label in news.labels().items() if label}
    news.shell.reset()
    assert news.submit("--prompt", "{text} 0, 1, 2 중 하나로 답하세요.", table=FAILED).code == 0
    news.end_batches()
    assert news.check().code == 0
    said = news("--mode", "download", "--input", FAILED, "--output", OUTPUT)
    assert said.code == 1
    assert "전체 파일을 지정" in said.err
    news.path("copy.csv").write_bytes(news.path(FAILED).read_bytes())
    said = news("--mode", "download", "--input", "copy.csv", "--output", OUTPUT)
    assert said.code == 1
    assert "7개의 라벨이 사라집니다" in said.err
    said = news.download()
    assert said.code == 0
    assert "♻️ 기존 결과 파일의 라벨 유지: 7개" in said.out
    after = news.labels()
    assert "" not in after.values()
    assert all(after[text] == label for text, label in before.items())
    # The first run does not take back what another has answered since.
    assert news.download("--batch-id", first).code == 0
    assert news.labels() == after


def test_what_the_queue_has_no_room_for_is_sent_by_later_looks(news: Newsroom) -> None:
    news.shell.reset(enqueued_tokens=ROOM_TOKENS, enqueued_form="400")
    try:
        news.articles(30, more=LONG)
        said = news.submit("--shard-size", "10")
        assert said.code == 0
        assert "대기 중: 20개 기사" in said.out
        first = news.info()["batch_id"]
        looks = 0
        while status_of(news.check("--batch-id", first).out) != "completed":
            assert news.download("--batch-id", first).code == 6
            news.end_batches()
            looks += 1
            assert looks < 10
        assert news.download("--batch-id", first).code == 0
        assert len(news.labels()) == 30
        assert (news.created() >= 3, news.paid_twice()) == (True, 0)
    finally:
        news.shell.reset(enqueued_tokens=None, enqueued_form="failed")


def test_any_batch_of_a_job_stands_for_the_whole(news: Newsroom) -> None:
    news.articles(20)
    said = news.submit("--shard-size", "5")
    ids = news.info()["batch_ids"]
    assert len(ids) == 4
    assert "배치 작업: 4개" in said.out
    assert len(news.requests()) == 20
    news.shell.pass_time(1 + HALF_S)
    for each in ids:
        said = news.check("--batch-id", each)
        assert "진행률: 8/20 (40.0%)" in said.out
    news.end_batches()
    assert news.download("--batch-id", ids[2]).code == 0
    assert len(news.labels()) == 20


def test_a_batch_that_failed_is_explained_and_sent_when_asked(news: Newsroom) -> None:
    news.articles(5)
    news.shell.fault("batch_fails:code=invalid_json_line,message=This line is not JSON.,line=3")
    assert news.submit().code == 0
    news.end_batches()
    for _ in range(2):
        said = news.check()
        assert said.code == 0
        assert status_of(said.out) == "failed"
        assert "❌ Batch status: failed - 입력 파일 형식 오류 (3번째 줄)" in said.out
        assert "invalid_json_line: This line is not JSON. (line 3)" in said.out
        assert "해결 방법:" in said.out
    assert news.created() == 1  # a look does not send it again
    said = news.download()
    assert said.code == 3
    assert "Batch status: failed" in said.err
    assert not news.path(OUTPUT).exists()
    news.shell.reset()
    assert news.submit().code == 0
    news.end_batches()
    assert status_of(news.check().out) == "completed"
    assert news.download().code == 0


def test_a_batch_without_room_is_explained_and_sent_again_by_itself(news: Newsroom) -> None:
    news.articles(5)
    words = "Enqueued token limit reached. Limit: 90000 enqueued tokens."
    news.shell.fault(f"batch_fails:code=token_limit_exceeded,message={words},count=1")
    assert news.submit().code == 0
    news.end_batches()
    said = news.check()
    assert (said.code, status_of(said.out)) == (0, "validating")
    assert f"⚠️ 토큰 한도 초과: token_limit_exceeded: {words}" in said.out
    assert "대기 중: 5개 기사" in said.out
    assert news.check().code == 0
    news.end_batches()
    assert status_of(news.check().out) == "completed"
    assert news.download().code == 0
    assert (news.created(), news.shell.stats()["paid"]) == (2, 5)


def test_a_table_that_was_mended_after_a_failure_begins_afresh(news: Newsroom) -> None:
    rows = news.articles(5)
    news.shell.fault("batch_fails:code=invalid_json_line,message=Bad.,line=3")
    assert news.submit().code == 0
    news.end_batches()
    assert status_of(news.check().out) == "failed"
    news.shell.reset()
    news.rewrite([{**row, "text": row["text"] + "."} for row in rows])
    assert "(5개 기사)" in news.submit().out
    news.end_batches()
    assert news.check().code == 0
    assert news.shell.stats()["paid"] == 5


@pytest.mark.parametrize("content", ["", "{", "[]", '{"batch_id": 3}'])
def test_a_damaged_info_file_is_made_up_for_by_an_id(news: Newsroom, content: str) -> None:
    news.articles(3)
    assert news.submit().code == 0
    batch_id = news.info()["batch_id"]
    news.path("batch_info_openai.json").write_text(content)
    said = news.check()
    assert said.code == 1
    assert "--batch-id" in said.err
    assert news.check("--batch-id", batch_id).code == 0
    news.path("batch_info_openai.json").unlink()
    said = news.check()
    assert said.code == 1
    assert batch_id in said.err  # it tells which jobs there are
    news.end_batches()
    assert news.download("--batch-id", batch_id).code == 0


def test_an_unknown_batch_is_one_clear_line(news: Newsroom) -> None:
    for arguments in (("--mode", "check"), ("--mode", "download", "--output", OUTPUT)):
        said = news(*arguments, "--batch-id", "batch_none")
        assert said.code == 1
        assert "batch_none" in said.err
        assert len(said.err.splitlines()) == 1
    assert news.check().code == 1
    said = news.check("--batch-id", "")
    assert said.code == 1
    assert "비어" in said.err


def test_the_article_table_is_never_written_over(news: Newsroom) -> None:
    news.articles(3)
    assert news.submit().code == 0
    news.end_batches()
    before = news.path(INPUT).read_bytes()
    for output in (INPUT, f"./{INPUT}"):
        said = news("--mode", "download", "--input", INPUT, "--output", output)
        assert said.code == 1
        assert "덮어쓰게" in said.err
    assert news.path(INPUT).read_bytes() == before


def test_a_missing_column_names_those_that_are_there(news: Newsroom) -> None:
    news.write("제목,본문\n가,나\n".encode())
    said = news.submit()
    assert said.code == 1
    assert all(word in said.err for word in (INPUT, "'text'", "제목, 본문"))
    assert news.created() == 0
    assert not news.path("runs").exists()


def test_without_a_key_nothing_is_sent(news: Newsroom, monkeypatch: pytest.MonkeyPatch) -> None:
    news.articles(3)
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    said = news.submit()
    assert said.code == 1
    assert "OPENAI_API_KEY not found" in said.err
    assert not news.path("runs").exists()


def test_a_key_that_is_refused_ends_a_look_with_3(news: Newsroom) -> None:
    news.articles(3)
    assert news.submit().code == 0
    news.shell.fault("bad_key:on=batch")
    news.shell.fault("bad_key:on=batches")
    said = news.check()
    assert said.code == 3
    assert "상태:" not in said.out


def test_two_submissions_at_once_pay_once(news: Newsroom) -> None:
    news.articles(3)
    assert news.submit().code == 0
    with lock.hold(news.path(news.info()["run"])):
        said = news.submit("--force")
        assert said.code == 1
        assert "다른 프로세스" in said.err
        assert status_of(news.check().out) == "validating"  # as the ledger has it
    assert news.created() == 1


def test_people_are_agreed_with_or_not(news: Newsroom) -> None:
    rows = news.articles(12)
    rows = [{**row, "정답": name} for row, name in zip(rows, 4 * ("0", "중립", ""), strict=True)]
    news.rewrite(rows)
    assert news.submit().code == 0
    news.end_batches()
    said = news.download("--gold", "답")
    assert (said.code, "정답" in said.err) == (1, True)
    said = news.download("--gold", "title")
    assert (said.code, "옹호 (Support)" in said.err) == (1, True)
    assert not news.path(OUTPUT).exists()
    said = news.download("--gold", "정답")
    assert said.code == 0
    kept = json.loads(news.path("data/labeled_news_gold.json").read_text("utf-8"))
    assert (kept["pairs"], kept["only_second"]) == (8, 4)
    labels = [row["label"] for row in news.read()]
    right = sum(a == b for a, b in zip(labels, 4 * ("0", "1", "-"), strict=True))
    assert kept["accuracy"]["value"] == right / 8
    assert f"정확도: {100 * right / 8:.1f}%" in said.out
    assert "혼동 행렬" in said.out


def test_examples_and_a_prompt_of_ones_own_are_sent(news: Newsroom) -> None:
    news.articles(2)
    news.write("text,label\n좋은 정책이다,옹호\n나쁘다,2\n".encode(), "shots.csv")
    news.write(
        "제목 {title}, 출처 {source}: {text} {{0}} 0, 1, 2 중 하나로 답하세요.".encode(), "ask.txt"
    )
    said = news.submit(
        *("--prompt", "ask.txt", "--examples", "shots.csv", "--temperature", "0"),
        *("--model", "gpt-4o-mini"),
    )
    assert said.code == 0
    body = news.requests()[0]["body"]
    assert (body["model"], body["temperature"]) == ("gpt-4o-mini", 0)
    turns = [(turn["role"], turn["content"]) for turn in body["messages"]]
    assert turns[1:5] == [
        ("user", "제목 N/A, 출처 N/A: 좋은 정책이다 {0} 0, 1, 2 중 하나로 답하세요."),
        ("assistant", "0"),
        ("user", "제목 N/A, 출처 N/A: 나쁘다 {0} 0, 1, 2 중 하나로 답하세요."),
        ("assistant", "2"),
    ]
    assert turns[5][1].startswith("제목 제목 0, 출처 N/A: ")
    news.end_batches()
    assert news.download().code == 0


def test_an_answer_that_is_no_label_is_asked_again(news: Newsroom) -> None:
    news.articles(4)
    news.shell.fault("content:on=line,count=1,content=모르겠습니다")
    assert news.submit().code == 0
    news.end_batches()
    said = news.check()
    assert "진행률: 3/4 (75.0%)" in said.out
    news.end_batches()
    assert status_of(news.check().out) == "completed"
    assert news.download().code == 0
    assert news.created() == 2


@pytest.mark.parametrize(
    "content",
    [
        'text,title\r\n"첫 줄\n둘째 줄 ""인용"", 끝","제목, 하나"\r\n둘,\r\n'.encode(),
        '\ufefftext,title\n"첫 줄\n둘째 줄 ""인용"", 끝","제목, 하나"\n둘,\n'.encode(),
        'text,title\r\n"첫 줄\n둘째 줄 ""인용"", 끝","제목, 하나"\r\n둘,\r\n'.encode("cp949"),
    ],
    ids=["crlf", "bom", "cp949"],
)
def test_tables_of_every_kind_come_back_whole(news: Newsroom, content: bytes) -> None:
    news.write(content)
    encoding = () if content.startswith(b"\xef") else ("--encoding", "cp949")
    if not content.startswith(b"\xef") and "첫".encode() in content:
        encoding = ()
    assert news.submit(*encoding).code == 0
    news.end_batches()
    assert news.download().code == 0
    found = news.read()
    assert [row["text"] for row in found] == ['첫 줄\n둘째 줄 "인용", 끝', "둘"]
    assert [row["title"] for row in found] == ["제목, 하나", ""]


def test_empty_texts_are_refused_or_left_for_later(news: Newsroom) -> None:
    rows = news.articles(3)
    news.rewrite([rows[0], {**rows[1], "text": " "}, rows[2]])
    said = news.submit()
    assert said.code == 1
    assert "row 2: text is empty" in said.err
    assert news.created() == 0
    assert news.submit("--skip-invalid").code == 0
    news.end_batches()
    assert news.download().code == 2
    assert [row["labeled"] for row in news.read()] == ["True", "False", "True"]
    (left,) = news.read(FAILED)
    assert (left["error_code"], left["error_message"]) == ("invalid_row", "text is empty")


def test_a_table_of_empty_texts_is_not_called_submitted(news: Newsroom) -> None:
    rows = news.articles(2)
    news.rewrite([{**row, "text": ""} for row in rows])
    said = news.submit("--skip-invalid")
    assert said.code == 1
    assert "보낼 수 있는 기사가 없습니다" in said.err


def test_results_that_are_gone_end_a_loop_with_a_way_out(news: Newsroom) -> None:
    news.articles(4)
    news.shell.fault("file_gone")
    assert news.submit().code == 0
    news.end_batches()
    said = news.check()
    assert (said.code, status_of(said.out)) == (0, "failed")
    assert "❌ results_gone" in said.out
    assert f"processor batch submit {news.info()['run']} --again 1" in said.out
    assert "⏳" not in said.out
    said = news.download()
    assert said.code == 3
    assert not news.path(OUTPUT).exists()
    news.shell.reset()
    assert news.shell("batch", "submit", news.info()["run"], "--again", "1").code == 6
    news.end_batches()
    assert status_of(news.check().out) == "completed"
    assert news.download().code == 0


def test_a_batch_that_nobody_knows_any_more_ends_a_loop(news: Newsroom) -> None:
    news.articles(4)
    assert news.submit().code == 0
    news.shell.forget()
    said = news.check("--grace", "0")
    assert (said.code, status_of(said.out)) == (0, "failed")
    assert "--again 1" in said.out
    assert news.download("--grace", "0").code == 3


def test_a_folder_that_cannot_be_made_is_one_clear_line(news: Newsroom) -> None:
    news.articles(2)
    assert news.submit().code == 0
    news.end_batches()
    said = news("--mode", "download", "--output", f"{INPUT}/labels.csv")
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
    assert "--output" in said.err
    assert news("--mode", "download", "--output", "new/deep/labels.csv").code == 0


def test_the_sandbox_is_the_same_in_three_commands(
    news: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    news.articles(3)
    times = "--latency-ms 0 --validating-s 0 --in-progress-s 0 --finalizing-s 0"
    assert news.submit("--sandbox", "--sandbox-args", times).code == 0
    assert status_of(news.check().out) == "completed"
    said = news.download()
    assert said.code == 0
    assert "실제로는 청구되지 않습니다" in said.out
    assert len(news.labels()) == 3


@pytest.mark.parametrize("end", ["batch_expires", "batch_cancels"])
def test_a_batch_that_was_cut_short_is_told_and_goes_on(news: Newsroom, end: str) -> None:
    news.articles(4)
    news.shell.fault(f"{end}:share=0.5,count=1")
    assert news.submit().code == 0
    news.end_batches()
    said = news.check()
    assert status_of(said.out) == "validating"
    assert f"만료되거나 취소된 배치: {news.info()['batch_id']} (" in said.out
    news.end_batches()
    said = news.check()
    assert status_of(said.out) == "completed"
    assert "취소" not in said.out
    assert news.download().code == 0
    assert news.shell.stats()["paid"] == 4


def test_a_job_that_was_stopped_gives_what_it_has(news: Newsroom) -> None:
    news.articles(8)
    assert news.submit().code == 0
    news.shell.pass_time(1 + HALF_S)
    assert news.shell("batch", "cancel", "--yes").code == 6
    news.end_batches()
    assert status_of(news.check().out) == "cancelled"
    assert news.download().code == 2
    assert sum(row["labeled"] == "True" for row in news.read()) == 4
    assert "(4개 기사)" in news.submit(table=FAILED).out
    news.end_batches()
    assert news.check().code == 0
    assert news.download().code == 0
    assert news.shell.stats()["paid"] == 8


def test_what_is_there_is_written_early_when_somebody_insists(news: Newsroom) -> None:
    news.articles(8)
    assert news.submit("--shard-size", "4").code == 0
    first, second = news.info()["batch_ids"]
    assert news.shell("batch", "cancel", "--batch", second, "--yes").code == 6
    news.end_batches()
    assert news.download("--force").code in {2, 6}
    found = news.read()
    assert [row["labeled"] for row in found] == ["True"] * 4 + ["False"] * 4
    assert {row["error_code"] for row in news.read(FAILED)} == {"pending"}
    assert first != second


def test_the_batch_of_another_task_is_none_of_this_script(news: Newsroom) -> None:
    news.write(b"word\none\n", "words.csv")
    task = news.shell.write("say.toml", SAY)
    asked = ("--task", task, "--input", "words.csv", "--base-url", news.shell.url, "--quiet")
    assert news.shell("batch", "submit", *asked).code == 6
    listed = json.loads(news.shell("batch", "list", "--json").out)
    (shard,) = listed["shards"]
    news.articles(1)
    said = news.download("--batch-id", shard["batches"][0]["id"])
    assert said.code == 1
    assert "라벨링 작업이 아닙니다" in said.err


def test_another_key_is_trusted_when_somebody_says_so(
    news: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    news.articles(3)
    assert news.submit().code == 0
    news.end_batches()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another-key")
    said = news.check()
    assert said.code == 1
    assert "--new-account" in said.err
    assert status_of(news.check("--new-account").out) == "completed"
    assert news.download().code == 0
