"""The picture of `processor report`: a real run by both lanes, told in a page."""

import csv
import shlex
import subprocess
import sys
from pathlib import Path

import _browser

from processor.data.generator import generate

__all__ = ["draw_report"]

_ITEMS = 1_200
_SUBJECTS = {
    "limits": "극한",
    "sums": "수열",
    "integrals": "미적분",
    "probability": "확률과 통계",
    "geometry": "기하",
    "functions": "함수",
    "equations": "방정식",
    "korean": "활용",
}
# A provider with a limit, which refuses some of the limits (lim) and goes wrong now and then.
_PROVIDER = (
    "--latency-ms 450 --latency-sigma 0.5 --rpm 1500 --bad-answers 0.04 --stubborn 0.008 "
    "--fault content_filter:match=lim,rate=0.3 --fault server_error:rate=0.03,times=1 "
    "--fault rate_limit:after=300,count=3,retry-after=1 --in-progress-s 20"
)
_RUN = (
    "run --quiet --task mathml --input questions.csv --out runs/수학-문항 --route batch "
    "--direct-first 600 --shard-size 300 --budget 1.00 --sandbox"
)
_WIDTH, _HEIGHT = 1_160, 900
_SHOWN = ("course", "patterns", "sample")
# A whole report is five times as long.
_LEAVE_OUT = """(shown) => {
  for (const section of document.querySelectorAll("section")) {
    if (!shown.includes(section.id)) section.remove();
  }
  const few = (all, most) => [...all].slice(most).forEach((one) => one.remove());
  few(document.querySelectorAll("#course .blocks > *"), 1);
  few(document.querySelectorAll("#course .chart"), 4);
  few(document.querySelectorAll("#patterns .blocks > *"), 1);
  few(document.querySelectorAll("#patterns tbody tr"), 3);
  few(document.querySelectorAll("#sample .fields, #sample .blocks > .note, nav"), 0);
  const all = [...document.querySelectorAll(".specimen")];
  const kept = ["doubt", "good"].map((look) => all.find((one) => one.querySelector(`.${look}`)));
  all.filter((one) => !kept.includes(one)).forEach((one) => one.remove());
}"""


def draw_report(place: Path, pictures: Path) -> None:
    """`report.png`: the report of a run that is done.

    Args:
        place: An empty working directory.
        pictures: Where the picture goes.
    """
    _write_questions(place / "questions.csv")
    processor = [sys.executable, "-m", "processor"]
    run = [*processor, *shlex.split(_RUN), "--sandbox-args", _PROVIDER]
    done = subprocess.run(run, cwd=place, check=False)  # noqa: S603 - our own command
    assert done.returncode == 2, "the run was to end with some failures"
    subprocess.run([*processor, "report"], cwd=place, check=True)  # noqa: S603 - our own command
    path = pictures / "report.png"
    with _browser.chromium() as browser:
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
        page.goto((place / "runs" / "수학-문항" / "report.html").as_uri())
        page.evaluate(_LEAVE_OUT, list(_SHOWN))
        page.screenshot(path=path, full_page=True)
    print(path)


def _write_questions(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["question_id", "mathml", "subject", "grade"])
        writer.writeheader()
        for row in generate(_ITEMS):
            subject = str(row.fields["subject"])
            writer.writerow({**row.fields, "subject": _SUBJECTS.get(subject, "대수")})
