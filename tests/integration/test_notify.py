"""Who is told how a run ended: over real sockets, by a real chat route, webhook and mail server."""

import json
import os
import signal
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import SAY, Shell
from labelling_bench import OUTPUT, Newsroom
from mailroom import Mailroom, mailroom
from notify_bench import SECRET, WORD, assert_nowhere, words
from run_bench import Folder, folder_before

from processor import Processor, Task
from processor.errors import UsageError
from processor.sandbox_process import sandbox


@pytest.fixture(scope="module")
def opened() -> Iterator[Mailroom]:
    with mailroom() as room:
        yield room


@pytest.fixture
def room(opened: Mailroom) -> Mailroom:
    opened.letters.clear()
    opened.mails.clear()
    opened.dripping.clear()
    return opened


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """A sandbox of these tests' own, whose pace they change."""
    with sandbox(["--latency-ms", "1"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    with folder_before(sandbox_url, tmp_path, rows=100) as folder:
        folder.admin("config", {"latency_ms": 30})
        yield folder


def log(shell: Shell) -> list[dict[str, object]]:
    path = max(shell.folder.glob("logs/batch_conversion_*.log"))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_chat_mail_and_programs_hear_of_the_end(shell: Shell, room: Mailroom) -> None:
    mail = f"mailto://127.0.0.1:{room.mail_port}?from=run@one.example&to=ann@two.example"
    webhook = room.address(f"ok/{SECRET}?+X-Token={SECRET}")
    chat = f"mmost://127.0.0.1:{room.port}/{SECRET.lower()}"
    addresses = [part for address in (webhook, chat, mail) for part in ("--notify", address)]
    result = shell.run(*words(shell), *addresses)
    assert result.code == 0, result.err
    assert result.err == ""
    by_path = {letter.path: letter.body for letter in room.letters}
    told, posted = by_path[f"/ok/{SECRET}"], by_path[f"/hooks/{SECRET.lower()}"]
    assert (told["title"], told["type"]) == ("processor: say 5 of 5 done", "success")
    assert (told["event"], told["exit_code"]) == ("done", 0)
    assert told["folder"] == str(shell.the_run())
    figures = shell.figures() | {"reconciled": None}  # which only the run itself can tell
    assert told["stats"] == figures
    assert told["title"] in posted["text"]
    (letter,) = room.mails
    assert (letter["To"], letter["Subject"]) == ("ann@two.example", told["title"])
    text = letter.get_body(("plain", "html"))
    assert text is not None
    assert "5 of 5 items succeeded" in text.get_content()
    assert WORD not in json.dumps(told)
    (page,) = letter.iter_attachments()
    (attached,) = told["attachments"]
    assert (page.get_filename(), attached["filename"]) == ("report.html", "report.html")
    sent = page.get_payload(decode=True)
    assert isinstance(sent, bytes)
    assert sent == b64decode(attached["base64"])
    report = sent.decode()
    assert report.startswith("<!DOCTYPE html>")
    assert WORD not in report
    assert_nowhere(SECRET, shell.folder, result.out, result.err)


def test_rows_are_told_where_they_may_be_logged(shell: Shell, room: Mailroom) -> None:
    options = (*words(shell), "--notify", room.address("ok"), "--log-content")
    assert shell.run(*options).code == 0
    (attached,) = room.letters[0].body["attachments"]
    assert WORD in b64decode(attached["base64"]).decode()


def test_a_place_that_takes_no_files_gets_the_words(shell: Shell, room: Mailroom) -> None:
    result = shell.run(*words(shell), "--notify", room.address("words"))
    assert result.code == 0
    assert "Not notified" not in result.err
    (letter,) = room.letters
    assert letter.body["attachments"] == []
    assert letter.body["event"] == "done"


def test_one_that_refuses_changes_nothing_but_a_line(shell: Shell, room: Mailroom) -> None:
    result = shell.run(
        *words(shell),
        *("--notify", room.address(f"bad/{SECRET}?-key={SECRET}")),
        *("--notify", f"json://user:{SECRET}@127.0.0.1:1/{SECRET}"),
        *("--notify", room.address("ok")),
    )
    assert result.code == 0
    refused = [line for line in result.err.splitlines() if line.startswith("Not notified")]
    assert len(refused) == 2
    assert "error=500" in refused[0]
    assert room.events() == ["done"]
    events = [line for line in log(shell) if line["event"] == "not_notified"]
    assert [line["address"] for line in events] == ["json://…"] * 2
    assert_nowhere(SECRET, shell.folder, result.out, result.err)


def test_failures_are_told_by_their_cause_and_not_by_what_was_said(
    shell: Shell, room: Mailroom
) -> None:
    shell.fault(f"bad_request:rate=0.5,message=cannot read {WORD}")
    result = shell.run(*words(shell, 20), "--notify", room.address("ok"))
    assert result.code == 2
    (letter,) = room.letters
    failed = shell.figures()["failed"]
    assert 0 < failed < 20
    assert letter.body["title"] == f"processor: say {20 - failed} of 20 done, {failed} failed"
    assert f"Error bad_request, {failed}: The provider found a fault" in letter.body["message"]
    assert letter.body["event"] == "failed"
    assert WORD not in json.dumps(letter.body)
    shell.reset()
    shell.fault(f"bad_key:message=your key for {WORD} is wrong")
    result = shell.run(*words(shell), "--out", "other", "--notify", room.address("ok"))
    assert result.code == 3
    letter = room.letters[-1]
    assert letter.body["event"] == "stopped"
    assert letter.body["title"] == "processor: say stopped (auth) at 0 of 5 done"
    assert "Stopped, auth: The provider does not accept the API key." in letter.body["message"]
    assert letter.body["stats"]["stopped"]["code"] == "auth"
    assert WORD not in json.dumps(letter.body)


def test_what_is_told_of_can_be_chosen(shell: Shell, room: Mailroom) -> None:
    options = (*words(shell), "--notify", room.address("ok"))
    assert shell.run(*options, "--notify-on", "failed, late").code == 0
    assert room.events() == []
    assert shell.run(*options, "--notify-on", "done").code == 0
    assert room.events() == ["done"]
    result = shell.run(*options, "--notify-on", "never")
    assert (result.code, len(result.err.splitlines())) == (1, 1)
    assert "--notify-on" in result.err


def test_batches_that_are_left_and_fetched(shell: Shell, room: Mailroom) -> None:
    told = ("--notify", room.address("ok"))
    submit = ("batch", "submit", "--base-url", shell.url, "--quiet", *words(shell), *told)
    assert shell(*submit, "--notify-on", "done,waiting").code == 6
    fetch = ("batch", "download", "--base-url", shell.url, "--quiet", "--wait")
    assert shell(*fetch, *told).code == 0
    assert room.events() == ["waiting", "done"]
    assert "batch check" in str(room.letters[0].body["next_steps"])


def test_a_start_that_is_refused_is_told_without_another_ones_figures(
    shell: Shell, room: Mailroom
) -> None:
    told = ("--notify", room.address("ok"))
    assert shell.run(*words(shell), *told).code == 0
    folder = str(shell.the_run())
    shell.write("say.toml", SAY.replace("Say", "Sing"))
    options = ("--task", "say.toml", "--input", "r.csv", "--out", folder, *told)
    assert shell.run(*options).code == 1
    refusal = room.letters[-1].body
    assert (refusal["event"], refusal["exit_code"]) == ("failed", 1)
    assert refusal["title"] == f"processor: {Path(folder).name} was not run"
    assert "--accept-change" in refusal["problem"]
    assert refusal["stats"] is None
    shell.write("twice.csv", f"id,word\n1,{WORD}\n1,{WORD}\n")
    (shell.folder / "twice.toml").write_text(SAY.replace('id = "row"\n', ""))
    result = shell.run("--task", "twice.toml", "--input", "twice.csv", *told)
    assert result.code == 1
    assert "twice.csv" in room.letters[-1].body["problem"]
    assert WORD not in json.dumps(room.letters[-1].body)
    before = len(room.letters)
    assert shell.run("--task", "say.toml", "--input", "none.csv", *told).code == 1
    assert shell.run("--task", "say.toml", "--input", "none.csv", "--dry-run", *told).code == 1
    (last,) = room.letters[before:]  # a rehearsal is looked at
    assert "none.csv" in last.body["problem"]


def test_a_folder_whose_name_is_no_text(tmp_path: Path, sandbox_url: str, room: Mailroom) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9")
    path.mkdir()
    with folder_before(sandbox_url, path, rows=3) as folder:
        code, _, told = folder.run("--notify", room.address("ok"))
    assert code == 0, told
    assert room.events() == ["done"]
    assert room.letters[0].body["folder"].endswith("/caf?/out")
    assert len(room.letters[0].body["attachments"]) == 1


def test_a_late_run_is_told_of_while_it_goes_on(folder: Folder, room: Mailroom) -> None:
    folder.rows(2_000)
    folder.admin("config", {"latency_ms": 200})
    slow = ("--concurrency", "1", "--route", "direct", "--deadline", "60s")
    process = folder.start(*slow, "--notify", room.address("ok"))
    folder.wait_for(lambda: bool(room.letters))
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert room.events() == ["late", "interrupted"]
    assert "will hardly be done in time" in room.letters[0].body["title"]
    assert "told of it (late): JSON" in told


def test_a_budget_that_is_nearly_used_is_told_of_when_it_turns_so(
    folder: Folder, room: Mailroom
) -> None:
    folder.rows(60)
    folder.admin("faults", {"set": ["rate_limit:after=57,retry-after=1"]})
    priced = ("--price", "1000,5000", "--max-output-tokens", "60", "--notify", room.address("ok"))
    process = folder.start(*priced, "--budget", "4.8", "--concurrency", "10")
    folder.wait_for(lambda: bool(room.letters))
    folder.admin("faults", {"clear": True})
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert room.events() == ["budget", "done"]
    assert "of the budget of $4.80 is used" in room.letters[0].body["message"]
    folder.rows(70)
    code, _, told = folder.run(*priced, "--budget", "4.8")
    assert code == 4, told
    assert room.events() == ["budget", "done", "stopped"]
    assert "--budget" in room.letters[-1].body["message"]


def test_a_message_that_hangs_is_ended_by_the_second_signal(folder: Folder, room: Mailroom) -> None:
    folder.rows(5)
    process = folder.start("--notify", room.address(f"drip/{SECRET}"))
    assert room.dripping.wait(20)
    process.send_signal(signal.SIGTERM)
    said, told = process.communicate(timeout=5)
    assert process.returncode == 0, told
    assert "Not notified: json://…: it was ended" in told
    folder.assert_whole(5)
    assert_nowhere(SECRET, folder.path, said, told)


def test_a_program_has_somebody_told(
    room: Mailroom, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    processor = Processor(
        base_url=shell.url,
        notify=[room.address("ok"), room.address(f"bad/{SECRET}")],
        notify_on="done",
    )
    task = Task(name="say", model="gpt-6-luna", prompt="Say {{ word }}.")
    report = processor.run_sync(task, [{"id": 1, "word": WORD}], out="there", progress=False)
    assert report.exit_code == 0
    assert room.events() == ["done"]
    told = capsys.readouterr().err
    assert "Not notified" in told
    assert SECRET not in told
    with pytest.raises(UsageError, match="apprise does not understand nobody://…"):
        Processor(base_url=shell.url, notify=f"nobody://{SECRET}").run_sync(task, [])


def test_downloaded_labels_are_told(
    shell: Shell, room: Mailroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    newsroom = Newsroom(shell)
    newsroom.articles(3)
    told = ("--notify", room.address(f"ok/{SECRET}"))
    assert newsroom.submit().code == 0
    while "상태: completed" not in newsroom.check().out:
        pass
    result = newsroom.download(*told)
    assert result.code == 0, result.err
    (letter,) = room.letters
    assert letter.body["event"] == "done"
    assert letter.body["title"].endswith(" 3 of 3 done")
    assert OUTPUT in letter.body["next_steps"][0]
    assert_nowhere(SECRET, shell.folder, result.out, result.err)


def test_the_script_passes_it_on(tmp_path: Path, room: Mailroom) -> None:
    script = Path(__file__).parents[2] / "scripts" / "run_batch_conversion.sh"
    options = ("10", "20", "--sandbox", "--quiet", "--notify", room.address(f"ok/{SECRET}"))
    done = subprocess.run(
        [script, *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert room.events() == ["done"]
    assert_nowhere(SECRET, tmp_path, done.stdout, done.stderr)
