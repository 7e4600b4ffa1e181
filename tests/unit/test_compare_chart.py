"""The chart of a comparison: readable by machines, harmless, and of the very figures."""

import re
from xml.etree import ElementTree as ET

import pytest
from compared import JOBS_OF_50, ONE, TEN_AT_ONCE, took, users_figures

from processor.compare import document
from processor.compare.chart import drawn
from processor.compare.measured import Measured
from processor.compare.terms import Simulation, Terms

SVG = "{http://www.w3.org/2000/svg}"


def made(found: list[Measured], **terms: object) -> dict[str, object]:
    known: dict[str, object] = {
        "task": "persona",
        "wording": "0",
        "input": "personas",
        "rows": "0",
        "sizes": (10, 50),
        "provider": "sandbox",
        **terms,
    }
    return document.made(Terms(**known), found, exit_code=0)  # type: ignore[arg-type]


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_it_tells_the_figures() -> None:
    simulation = Simulation(call_s=3, job_s=8, scale=30)
    told = texts(drawn(made(users_figures(), simulation=simulation)))
    for figure in ("2.5 min", "15.0 s", "8.0 s", "50", "6", "$0.0010", "$0.0005"):
        assert figure in told
    assert {"from 3 items on", "from 27 items on"} <= set(told)
    assert {"one by one, as users report", "batched, as users report"} <= set(told)
    assert any("a call takes 3 s, a batch job 8 s" in words for words in told)


def test_it_holds_no_scripts_and_refers_to_nothing() -> None:
    svg = drawn(made(users_figures()))
    root = ET.fromstring(svg)
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names == {"svg", "title", "style", "rect", "text", "polyline", "circle"}
    assert not re.search(r"href|url\(|@import|on\w+=", svg)
    assert svg.count("http") == 1  # the name of the format


def test_it_is_the_same_for_the_same_figures() -> None:
    assert drawn(made(users_figures())) == drawn(made(users_figures()))


@pytest.mark.parametrize(
    "found",
    [
        [],
        [took(ONE, 50, 150.0)],
        [took(ONE, 50, 0.0, cost_usd=None)],
        [took(JOBS_OF_50, 50, 8.0, cost_usd=0.0)],
        [took(ONE, n, 3.0 * n, model="<a & b>") for n in (10, 50)],
    ],
)
def test_little_is_drawn_of_little(found: list[Measured]) -> None:
    told = texts(drawn(made(found)))
    assert told[0] == "50 items, sent in different ways"
    assert not [words for words in told if words.endswith("items on")]


def test_models_of_long_names_have_room() -> None:
    names = [f"{'a-deployment-of-' * 6}{end}" for end in ("one", "two")]
    found = [took(JOBS_OF_50, n, 8.0, model=name) for name in names for n in (10, 50)]
    bars = [words for words in texts(drawn(made(found))) if words.startswith("batch-50, ")]
    assert [words[-3:] for words in bars] == ["one", "two"]
    assert max(map(len, bars)) < 40
    assert max(map(len, texts(drawn(made(found, provider="p" * 500))))) < 140


@pytest.mark.parametrize("times", [1.0, 0.1, 1e4])
def test_everything_lies_within_it(times: float) -> None:
    """Also what is over in milliseconds, and what has very many items."""
    found = users_figures()
    if times != 1:
        count = 3_000_000 if times > 1 else 50
        found = [
            *(took(arm, n, times * n / 100) for arm in (ONE, TEN_AT_ONCE) for n in (10, count)),
            *(took(JOBS_OF_50, n, times) for n in (10, count)),
        ]
    root = ET.fromstring(drawn(made(found, sizes=(10, found[1].trial.items))))
    dots = {(each.get("cx"), each.get("cy")) for each in root.iter(f"{SVG}circle")}
    assert len(dots) >= 4
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for element in root.iter():
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(element.attrib.get(name, 0)) <= most
