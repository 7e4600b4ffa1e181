"""The labelling script as a process: killed, in a shell's loop, by cron, waiting for its labels."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Shell
from labelling_bench import FAILED, INPUT, OUTPUT, Newsroom, status_of
from run_bench import wait_for

from processor.sandbox_process import sandbox

SCRIPTS = Path(__file__).parents[2] / "scripts"
SCRIPT = SCRIPTS / "batch_labeling_openai.py"


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    times = ["--validating-s", "0.2", "--in-progress-s", "0.5", "--finalizing-s", "0.1"]
    with sandbox(["--latency-ms", "0", *times]) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Desk:
    """A newsroom whose script is typed into a shell."""

    news: Newsroom
    around: Mapping[str, str]

    def start(self, *arguments: str, stdin: int | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            cwd=self.news.shell.folder,
            env=dict(self.around),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def sh(self, line: str, *, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", line],
            cwd=folder or self.news.shell.folder,
            env=dict(self.around),
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, route: str) -> int:
        return int(self.news.shell.stats()["by_route"].get(route, 0))


@pytest.fixture
def desk(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("OPENAI_BASE_URL", shell.url)
    shell.forget()
    scripts = {"PYTHON": sys.executable, "SCRIPTS": str(SCRIPTS)}
    return Desk(Newsroom(shell), {**os.environ, **scripts})


@pytest.mark.parametrize(
    ("fault", "route"),
    [
        ("silence:on=upload,count=1", "POST /v1/files"),
        ("hang:on=create,count=1", "POST /v1/batches"),
        ("silence:on=create,count=1", "POST /v1/batches"),
    ],
)
def test_a_submission_that_was_killed_goes_on_and_pays_once(
    desk: Desk, fault: str, route: str
) -> None:
    desk.news.articles(5)
    desk.news.shell.fault(fault)
    submission = desk.start("--mode", "submit", "--input", INPUT)
    wait_for(lambda: desk.calls(route) == 1)
    submission.send_signal(signal.SIGKILL)
    submission.communicate()
    desk.news.shell.reset()
    said = desk.news.submit("--grace", "0.2")
    assert said.code == 0
    lines = said.out.splitlines()
    assert "📝 배치 파일 생성 중... (5개 기사)" in lines
    assert "✅ 배치 파일 생성 완료: batch_openai.jsonl" in lines
    assert f"   배치 ID: {desk.news.info()['batch_id']}" in lines
    assert len(desk.news.requests()) == 5
    assert desk.news.submit().code == 1
    wait_for(lambda: status_of(desk.news.check().out) == "completed")
    assert desk.news.download().code == 0
    assert (desk.news.paid_twice(), desk.news.shell.stats()["paid"]) == (0, 5)


@pytest.mark.parametrize("shard", ["", "--shard-size 100"], ids=["a shard", "the requests"])
def test_a_full_disk_is_one_line_and_the_way_on_pays_once(desk: Desk, shard: str) -> None:
    desk.news.articles(300)
    # A long prompt makes the files of requests far larger than the ledger ever is.
    desk.news.write(("{text}\n0, 1, 2?\n" + "기준 " * 1_000).encode(), "ask.txt")
    script = '"$PYTHON" "$SCRIPTS/batch_labeling_openai.py"'
    submit = f"{script} --mode submit --input {INPUT} --prompt ask.txt {shard}"
    said = desk.sh(f"ulimit -f 1500; {submit}")  # kilobytes of a file
    assert said.returncode == 5
    (line,) = said.stderr.splitlines()
    assert "File too large. Free the disk" in line
    assert desk.sh(f"{submit} --grace 0.2").returncode == 0
    wait_for(lambda: status_of(desk.news.check().out) == "completed")
    assert desk.sh(f"ulimit -f 20; {script} --mode check").returncode == 5
    assert desk.news.download().code == 0
    assert (desk.news.paid_twice(), desk.news.shell.stats()["paid"]) == (0, 300)


def test_failed_rows_whose_submission_was_killed_go_on_and_are_paid_once(desk: Desk) -> None:
    desk.news.articles(6)
    assert desk.news.submit("--rounds", "1").code == 0
    desk.news.shell.fault("bad_request:on=line,count=2")
    wait_for(lambda: status_of(desk.news.check().out) == "completed")
    assert desk.news.download().code == 2
    first = desk.news.info()["batch_id"]
    desk.news.shell.reset()
    desk.news.shell.fault("silence:on=create,count=1")
    submission = desk.start("--mode", "submit", "--input", FAILED)
    wait_for(lambda: desk.calls("POST /v1/batches") == 1)
    submission.send_signal(signal.SIGKILL)
    submission.communicate()
    desk.news.shell._admin("faults", {"clear": True})
    said = desk.news.submit("--grace", "0.2", table=FAILED)
    assert said.code == 0
    assert "(2개 기사)" in said.out
    assert desk.news.info()["batch_id"] != first
    assert len(desk.news.requests()) == 2
    assert desk.news.submit(table=FAILED).code == 1
    wait_for(lambda: status_of(desk.news.check().out) == "completed")
    assert desk.news.download().code == 0
    batches = desk.news.shell._admin("batches")["batches"]
    assert (len(batches), desk.news.paid_twice()) == (2, 0)


@pytest.mark.parametrize(("typed", "code", "made"), [("y\n", 0, 2), ("n\n", 1, 1)])
def test_a_terminal_is_asked_before_it_pays_again(
    desk: Desk, typed: str, code: int, made: int
) -> None:
    desk.news.articles(2)
    assert desk.news.submit().code == 0
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        submission = desk.start("--mode", "submit", "--input", INPUT, stdin=theirs)
        said = submission.communicate()
    finally:
        os.close(ours)
        os.close(theirs)
    assert submission.returncode == code
    assert "이미 제출된 파일입니다" in said[1]
    assert desk.news.created() == made


def test_the_loop_that_users_have(desk: Desk) -> None:
    desk.news.articles(4)
    loop = f"""
        set -euo pipefail
        label="$PYTHON $SCRIPTS/batch_labeling_openai.py"
        $label --input {INPUT} --mode submit > /dev/null
        status=
        while [ "$status" != completed ]; do
            status=$($label --mode check | grep "상태:" | awk '{{print $2}}')
            echo "$status"
        done
        $label --mode download --input {INPUT} --output {OUTPUT}
    """
    done = desk.sh(loop)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(desk.news.labels()) == 4


def test_labels_are_waited_for_and_downloaded(desk: Desk) -> None:
    desk.news.articles(4)
    assert desk.news.submit().code == 0
    desk.news.shell.fault("bad_request:on=line,count=1")
    done = desk.sh(f'"$SCRIPTS/auto_download.sh" --every 0.1 --input {INPUT} --output {OUTPUT}')
    assert done.returncode == 2  # as the download: a row failed
    assert "completed 진행률: 4/4 (100.0%)" in done.stdout
    assert sum(row["labeled"] == "True" for row in desk.news.read()) == 3


def test_cron_downloads_from_a_folder_of_its_own(desk: Desk, tmp_path: Path) -> None:
    desk.news.articles(3)
    assert desk.news.submit().code == 0
    folder = desk.news.shell.folder
    line = (
        f'cd {folder} && "$SCRIPTS/auto_download.sh" --every 0.1 --output {OUTPUT} >> cron.log 2>&1'
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = desk.sh(line, folder=elsewhere)
    assert done.returncode == 0
    assert "🎉 라벨링 완료!" in (folder / "cron.log").read_text("utf-8")
    assert len(desk.news.labels()) == 3


def test_a_wait_for_a_job_that_nobody_knows_ends_at_once(desk: Desk) -> None:
    done = desk.sh('"$SCRIPTS/auto_download.sh" --batch-id batch_none')
    assert done.returncode == 1
    assert "batch_none" in done.stderr
    done = desk.sh('"$SCRIPTS/auto_download.sh" --every soon')
    assert done.returncode == 1
    assert "'soon'" in done.stderr


def test_a_wait_for_a_job_that_failed_ends_with_3(desk: Desk) -> None:
    desk.news.articles(3)
    desk.news.shell.fault("batch_fails:code=model_not_found,message=No such model.,line=1")
    assert desk.news.submit().code == 0
    done = desk.sh('"$SCRIPTS/auto_download.sh" --every 0.1')
    assert done.returncode == 3
    assert "Batch status: failed - 잘못된 요청 형식 (1번째 줄)" in done.stdout


def test_a_package_that_is_missing_is_named_with_its_remedy(desk: Desk, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    (bare / "openai").mkdir(parents=True)
    (bare / "openai" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'openai'\", name='openai')\n"
    )
    desk.news.articles(3)
    done = desk.sh(
        f'PYTHONPATH={bare} "$PYTHON" "$SCRIPTS/batch_labeling_openai.py" --mode submit '
        f"--input {INPUT}"
    )
    assert done.returncode == 1
    assert "No module named" not in done.stderr
    assert "openai" in done.stderr
    assert "pip install" in done.stderr


def test_help_needs_no_engine_and_shows_examples(desk: Desk) -> None:
    done = desk.sh('"$PYTHON" "$SCRIPTS/batch_labeling_openai.py" --help')
    assert done.returncode == 0
    assert "--mode submit" in done.stdout
    look = "import sys, processor.labelling.command; print(*sys.modules)"
    loaded = desk.sh(f'"$PYTHON" -c "{look}"').stdout.split()
    assert "processor.labelling.command" in loaded
    assert not {"openai", "aiohttp", "processor.run"} & set(loaded)
