"""`processor report`: real runs against the sandbox, told in one file."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import pytest
from command_line import NEWS, SAY, VECTORS, Shell
from ledger_parts import ledger_of
from run_bench import folder_before

from processor import reporting
from processor.exports import stats
from processor.reporting import html, markdown
from processor.reporting.composing import compose
from processor.reporting.gathering import gather
from processor.reporting.scan import ITEMS_MOST
from processor.sandbox_process import sandbox
from processor.watch import look, snapshot

_BIG_RUN = Path(__file__).parents[2] / "scripts" / "_big_run.py"
_VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})
_SPAN = re.compile(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)")
_HOSTILE = (
    "</script><img src=x onerror=alert(1)>\"'&|`code`[a](javascript:alert(1))\u202e\x07",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    'no: "&amp;" <b onclick="alert(1)"> x',
)


@dataclass
class Page(HTMLParser):
    """A page as a browser reads it.

    Attributes:
        elements: Name and attributes of each, in their order.
        figures: Name of each to its value and what stands there; one name says one thing.
        texts: All text, in its order; that of styles left out.
    """

    elements: list[tuple[str, Mapping[str, str | None]]] = field(default_factory=list)
    figures: dict[str, tuple[float | None, str]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    _figure: tuple[str, float | None] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    @classmethod
    def read(cls, path: Path) -> "Page":
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        page.close()
        assert not page.open  # everything is closed
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs)
        self.elements.append((tag, found))
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "data":
            value = found["value"]
            self._figure = (found["data-figure"] or "", float(value) if value else None)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "data":
            self._figure = None

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.texts.append(data)
        if self._figure is not None:
            name, value = self._figure
            assert self.figures.setdefault(name, (value, data)) == (value, data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def reported(folder: Path, **options: Any) -> Page:
    return Page.read(reporting.write(folder, **options))


@pytest.fixture
def news(shell: Shell) -> Path:
    """Labels, of which those of one press fail often, and columns that are not to be obeyed."""
    rows = [
        {
            "id": f"기사-{n}" if n % 40 else f"{n} {_HOSTILE[0]}",
            "text": f"국회 본회의 {'망가진 글' if n % 4 == 0 and n % 5 else '기사'} {n}",
            "press": ("한겨레 <b>", "조선", "연합", "KBS")[n % 4],
            "gold": str(n % 3),
            _HOSTILE[0]: _HOSTILE[1],
        }
        for n in range(400)
    ]
    shell.write("news.toml", NEWS)
    shell.write("news.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    shell.fault(f"refusal:match=망가진 글,message={_HOSTILE[2]}")
    shell.run("--task", "news.toml", "--input", "news.jsonl", "--out", "news")
    return Path("news")


def test_every_figure_is_the_ledgers(news: Path) -> None:
    page, shot, told = reported(news), snapshot.take(news), {}
    figures = stats.as_json(shot)
    assert 0 < shot.failed < shot.total
    for name in ("total", "succeeded", "failed", "success_rate", "error_rate", "chunks"):
        told[name] = figures[name]
    for name in ("requests_sent", "retries", "rate_limited", "reasks", "cost_usd"):
        told[f"overall.{name}"] = figures[name]
    for name in ("succeeded", "failed", "requests_sent", "retries", "cost_usd"):
        told[f"lanes.direct.{name}"] = figures["lanes"]["direct"][name]
    for name in ("mean", "p50", "p95", "p99", "max"):
        told[f"latency_ms.{name}"] = figures["latency_ms"][name]
    for code, count in figures["errors"].items():
        told[f"errors.{code}"] = count
    told |= {"elapsed_s": figures["elapsed_s"], "bytes_sent": figures["bytes_sent"]}
    for name, value in told.items():
        assert page.figures[name][0] == pytest.approx(value, abs=0.06), name


def test_the_parts_add_up(news: Path) -> None:
    figures = {name: value for name, (value, _) in reported(news).figures.items()}
    assert (
        sum(figures[name] or 0 for name in ("succeeded", "failed", "pending")) == figures["total"]
    )
    assert (
        sum(
            value or 0
            for name, value in figures.items()
            if name.startswith("errors.") and not name.endswith(".share")
        )
        == figures["failed"]
    )


def test_markdown_tells_the_same(news: Path) -> None:
    document = compose(gather(news))
    page, told = Page(), markdown.written(document)
    page.feed(html.written(document))
    assert len(page.figures) > 40
    plain = told.replace("\\", "")
    for name, (_, words) in page.figures.items():
        assert words in plain, name
    for section in document.sections:
        assert f"\n## {section.title}\n" in told


def test_what_people_wrote_stays_text(news: Path) -> None:
    page = reported(news)
    assert _HOSTILE[0].replace("\x07", "\ufffd") in page.text
    assert _HOSTILE[1] in page.text
    message = look.take(news).faults[0].example_message
    assert message is not None
    assert message in page.text
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "img", "iframe", "form", "b>"})
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src", "action", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,")), attributes


def test_markdown_obeys_nobody(news: Path) -> None:
    told = markdown.written(compose(gather(news)))
    assert "\x07" not in told
    outside = "".join(told.split("```")[::2])  # of blocks of code
    spoken = _SPAN.sub("", outside)
    assert "onerror" in spoken  # a name of a column stands in a sentence
    assert not re.search(r"(?<!\\)[<\[`]", spoken)


def test_a_pattern_of_failure_is_found_and_nothing_else(news: Path) -> None:
    found = gather(news).scan
    assert found is not None
    told = {(one.kind, one.name, one.value) for one in found.failures.found}
    assert ("column", "press", "한겨레 <b>") in told
    assert {name for _, name, _ in told} <= {"press", "length"}
    assert "press = 한겨레 <b>" in reported(news).text


def test_rows_that_were_asked_again_are_no_pattern(shell: Shell) -> None:
    """A tenth of the rows fails, each of them every time: nine of ninety, not ninety of 900."""
    chance = Random(4)
    rows = [
        {"id": n, "text": "망가진 글" if n % 10 == 3 else "기사", "draw": chance.randrange(4)}
        for n in range(90)
    ]
    shell.write("news.toml", NEWS)
    shell.write("r.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    shell.fault("refusal:match=망가진 글")
    options = ("--task", "news.toml", "--input", "r.jsonl", "--repeat", "10", "--out", "r")
    shell.run(*options)
    found = gather(Path("r"))
    assert (found.shot.total, found.shot.failed) == (900, 90)
    assert found.scan is not None
    assert {one.name for one in found.scan.failures.found} == {"text", "length"}
    assert "Looked at: all items, of each row the first." in reported(Path("r")).text


def test_labels_are_told_beside_the_right_ones(shell: Shell, news: Path) -> None:
    page = reported(news)
    succeeded = snapshot.take(news).succeeded
    labels = [value or 0 for name, (value, _) in page.figures.items() if "quality.labels" in name]
    assert sum(labels) == pytest.approx(1)
    assert f"{succeeded:,}" in page.text
    result = shell("report", "news", "--gold", "gold", "--format", "md")
    assert (result.code, result.err) == (0, "")
    measured = json.loads(shell("quality", "news", "--gold", "gold", "--json").out)["gold"]
    assert f"{measured['accuracy']['value']:.1%} were given it" in result.out
    assert "Right labels and given ones" in result.out


def test_strangers_see_no_content(news: Path) -> None:
    path = reporting.write(news, content=False)
    told = path.read_text(encoding="utf-8")
    for word in ("기사", "한겨레", "press", "onerror", "news.jsonl", "refusal", "국회"):
        assert word not in told, word
    page = Page.read(path)
    assert page.figures["failed"][0] == snapshot.take(news).failed
    assert "are left out" in page.text


def test_formulas_are_drawn_beside_each_other(shell: Shell) -> None:
    options = ("--sandbox-args", "--stubborn 0.2", "--direct-first", "10", "--route", "batch")
    shell("run", "--sandbox", "--generate", "40", "--out", "m", "--quiet", *options)
    page = reported(Path("m"))
    formulas = [attributes for tag, attributes in page.elements if tag == "math"]
    specimens = [one for one in page.elements if one == ("article", {"class": "specimen"})]
    assert len(specimens) < len(formulas) <= 2 * len(specimens)
    assert (
        page.figures["lanes.direct.requests_sent"][0]
        == 10 + snapshot.take(Path("m")).lanes["direct"].reasks
    )
    assert page.figures["saved"][0] is not None
    assert {tag for tag, _ in page.elements if tag.startswith("m")} <= {
        *("math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msqrt", "mroot", "msub", "msup"),
        *("msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mspace", "mstyle"),
        *("mpadded", "meta", "main"),
    }


def test_personas_are_a_table_of_answers(shell: Shell) -> None:
    shell.run("--task", "persona", "--route", "direct", "--out", "p")
    page = reported(Path("p"))
    heads = [attributes for tag, attributes in page.elements if tag == "th"]
    assert sum(head == {"scope": "row"} for head in heads) >= 25
    assert sum(head == {"class": "number", "scope": "col"} for head in heads) >= 11
    assert "고립되고 겁이 많은, 미성숙한" in page.text
    assert page.figures["quality.recognised"][0] is not None


def test_embeddings_have_a_report_too(shell: Shell) -> None:
    shell.write("vectors.toml", VECTORS)
    shell.write(
        "rows.jsonl", "".join(json.dumps({"id": n, "text": f"t{n}"}) + "\n" for n in range(9))
    )
    shell.run("--task", "vectors.toml", "--input", "rows.jsonl", "--out", "v")
    assert reported(Path("v")).figures["succeeded"][0] == 9


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Path]:
    """Started twice, killed twice."""
    with sandbox(["--latency-ms", "100"]) as url, folder_before(url, tmp_path, rows=990) as folder:
        for answered in (20, 60):
            process = folder.start("--concurrency", "10")
            folder.wait_for_answers(answered)
            if answered == 60:
                assert look.take(tmp_path / "out").is_running
                page = reported(tmp_path / "out", path=tmp_path / "running.html")
                assert "sending" in page.text
            process.kill()
            process.wait()
        yield tmp_path / "out"


def test_several_starts_are_told_apart_also_of_a_run_that_works(killed: Path) -> None:
    page = reported(killed)
    assert page.figures["starts"][0] == 2
    assert page.text.count("killed: seen last") == 2
    assert "not running, resumable" in page.text
    assert "met so far" in page.text
    assert "my-own-secret-key" not in page.text
    assert (page.figures["pending"][0] or 0) > 0


def test_a_run_that_failed_as_a_whole_has_a_report(shell: Shell) -> None:
    shell.write("say.toml", SAY)
    shell.write("rows.jsonl", "".join(json.dumps({"word": f"w{n}"}) + "\n" for n in range(5)))
    shell.fault("bad_key")
    assert shell.run("--task", "say.toml", "--input", "rows.jsonl", "--out", "f").code == 3
    page = reported(Path("f"))
    assert page.figures["pending"][0] == 5
    assert "Its last start ended early" in page.text


def test_a_ledger_without_items_has_a_report(tmp_path: Path) -> None:
    with ledger_of(tmp_path, 0):
        pass
    page = reported(tmp_path)
    assert "This run has no items." in page.text
    assert page.figures["total"][0] == 0


def test_a_million_items_take_no_longer_than_a_few(tmp_path: Path) -> None:
    """Fifty thousand are read at most, on a busy machine fewer; counters tell of all of them."""
    command = [sys.executable, str(_BIG_RUN), str(tmp_path / "big"), "51000"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.readline()
        found = gather(tmp_path / "big")
        run.communicate()
    assert found.scan is not None
    assert 100 <= found.scan.items <= ITEMS_MOST < found.shot.total
    assert found.shot.total == 51_000
    told = html.written(compose(found))
    assert f"Looked at: {found.scan.items:,} of 51,000 items" in told
    assert len(told) < 300_000


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--output", "news/ledger.sqlite"], "is no .html"),
        (["--output", "news/results.csv"], "is no .html"),
        (["--output", "/dev/stdout"], "is no .html"),
        (["--output", "r.html", "--format", "md"], "is no .md"),
        (["--output", "none/report.html"], "there is no folder"),
        (["--gold", "nothing"], "no column 'nothing'"),
        (["--format", "md", "--open"], "--open goes with --format html"),
    ],
)
def test_what_cannot_be_written_is_said_before(
    shell: Shell, news: Path, arguments: list[str], problem: str
) -> None:
    before = (news / "ledger.sqlite").read_bytes()
    result = shell("report", "news", *arguments)
    assert (result.code, result.out) == (1, "")
    assert problem in result.err
    assert (news / "ledger.sqlite").read_bytes() == before
    assert not (news / "report.html").exists()


def test_the_command_says_where_the_report_is(shell: Shell, news: Path) -> None:
    result = shell("report", "news")
    assert (result.code, result.out) == (0, "news/report.html\n")
    moved = shutil.move(news / "report.html", "elsewhere.html")
    assert "<link" in Path(moved).read_text(encoding="utf-8")
    assert shell("report", "news", "--format", "md", "--output", "r.md").out == "r.md\n"
    assert Path("r.md").read_text(encoding="utf-8").startswith("# news\n")
