"""The README does what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from processor.codes import CAUSES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TEST_COMMAND = "./scripts/test.sh"


def commands() -> list[str]:
    """Every line of the blocks marked `bash`; what is marked `sh` needs a key or never ends."""
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


@pytest.mark.timeout(400)
def test_the_commands_of_the_readme_run_in_their_order(tmp_path: Path) -> None:
    """In a folder of their own, where the files that they name lie."""
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    question = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>"
    (tmp_path / "questions.csv").write_text(
        f"question_id,mathml,subject,grade\nq1,{question},fractions,5\n"
    )
    news = "text\n정부 정책이 성과를 냈다\n야당은 우려를 나타냈다\n"
    (tmp_path / "news.csv").write_text(news)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "unlabeled_news.csv").write_text(news)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("DATABASE_URL", None)
    ran = [line for line in commands() if line != TEST_COMMAND]
    assert len(ran) > 5
    for line in ran:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "2 " in done.stdout


def test_the_second_command_is_what_ci_runs() -> None:
    assert TEST_COMMAND in commands()[:2]
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith(f"exec {TEST_COMMAND}")


@pytest.mark.parametrize("code", CAUSES)
def test_every_error_code_is_documented(code: str) -> None:
    cause = CAUSES[code]
    assert f"| `{code}` | {cause.means} | {cause.remedy} |" in README


def script(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ROOT / "scripts" / "run_batch_conversion.sh", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_takes_size_total_and_options(tmp_path: Path) -> None:
    done = script(tmp_path, "10", "25", "--sandbox", "--quiet", "--out", "here")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "here").glob("conversion_results_batch_*.json"))) == 3
    assert list((tmp_path / "logs").glob("batch_conversion_*.log"))


@pytest.mark.parametrize("arguments", ["ten", "10 20 30", "10 20 --bogus"])
def test_the_script_refuses_in_a_line(tmp_path: Path, arguments: str) -> None:
    done = script(tmp_path, *shlex.split(arguments))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert not (tmp_path / "runs").exists()
