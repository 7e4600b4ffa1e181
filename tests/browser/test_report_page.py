"""A report opened from the disk in a real browser: quiet, complete, readable on any device."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from run_bench import Folder, folder_before

from browser.eyes import Eyes
from processor import reporting
from processor.watch import snapshot

_HOSTILE = '</bdi><script>window.hit = 1</script><img src=x onerror="window.hit = 1">'
_PHONE = {"width": 360, "height": 740}
_CONTRAST_LEAST = 4.5
_CONTRASTS = """() => {
    const lum = (c) => {
        const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const page = lum(getComputedStyle(document.body).backgroundColor)
    return [...document.querySelectorAll('p, dt, dd, th, td, a, h1, h2, h3, .state, .tick')]
        .filter((one) => one.checkVisibility() && !one.matches('.skip, .filled'))
        .map((one) => {
            const own = lum(getComputedStyle(one).color)
            return (Math.max(own, page) + 0.05) / (Math.min(own, page) + 0.05)
        })
}"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, slow_sandbox_url: str) -> Iterator[Folder]:
    """A run with failures, Korean, and ids and words that are not to be obeyed."""
    path = tmp_path_factory.mktemp("reported")
    with folder_before(slow_sandbox_url, path, rows=0) as folder:
        rows = [
            {"id": f"질문 {n} {_HOSTILE if n < 3 else ''}", "word": f"단어 {_HOSTILE} {n}"}
            for n in range(160)
        ]
        told = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (path / "rows.jsonl").write_text(told, encoding="utf-8")
        folder.admin(
            "faults", {"set": ["content_filter:rate=0.05", "server_error:rate=0.1,times=1"]}
        )
        code, _, complaint = folder.run("--concurrency", "30", "--price", "0.05,0.4")
        assert code == 2, complaint
        reporting.write(path / "out")
        yield folder


@pytest.fixture
def reader(browser: Browser) -> Iterator[Eyes]:
    """Who opens the file; nothing complains, and nothing else is asked for."""
    with Eyes.open(browser) as eyes:
        yield eyes
        assert not eyes.complaints
        assert all(url.startswith(("file:", "data:")) for url in eyes.requests)


def opened(reader: Eyes, run: Folder, **options: object) -> Page:
    return reader.look((run.path / "out" / "report.html").as_uri(), **options)  # type: ignore[arg-type]


def test_it_opens_without_a_sound_and_shows_the_ledgers_figures(reader: Eyes, run: Folder) -> None:
    page, shot = opened(reader, run), snapshot.take(run.path / "out")
    assert shot.failed > 0
    for name, value in (
        ("succeeded", shot.succeeded),
        ("failed", shot.failed),
        ("total", shot.total),
        ("overall.retries", shot.overall.retries),
    ):
        shown = page.locator(f'data[data-figure="{name}"]').all_inner_texts()
        assert set(shown) == {f"{value:,}"}
    assert page.title() == "greet · Report of a run"


def test_what_rows_say_is_text(reader: Eyes, run: Folder) -> None:
    page = opened(reader, run)
    assert page.evaluate("window.hit") is None
    assert page.locator("script, img, iframe, object, embed, form").count() == 0
    assert _HOSTILE in page.inner_text("main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_page(reader: Eyes, run: Folder, scheme: str) -> None:
    page = opened(reader, run, color_scheme=scheme)
    contrasts = page.evaluate(_CONTRASTS)
    assert len(contrasts) > 100
    assert min(contrasts) >= _CONTRAST_LEAST


def test_light_and_dark_differ(reader: Eyes, run: Folder) -> None:
    colours = {
        opened(reader, run, color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert len(colours) == 2


def test_a_phone_shows_it_without_scrolling_sideways(reader: Eyes, run: Folder) -> None:
    page = opened(reader, run, **_PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    plots = page.locator(".plot").all()
    assert len(plots) >= 4
    for plot in plots:
        box = plot.bounding_box()
        assert box is not None
        assert box["width"] > 180


def test_charts_and_tables_say_what_they_are(reader: Eyes, run: Folder) -> None:
    page = opened(reader, run)
    for drawing in page.locator("svg").all():
        assert drawing.get_attribute("role") == "img"
        assert drawing.locator("title").first.text_content()
    for table in page.locator("table").all():
        assert table.locator("caption").inner_text()
        assert table.locator("th[scope=col]").count() > 1
    missing = page.evaluate(
        "[...document.querySelectorAll('nav a')].filter("
        "(one) => !document.getElementById(one.hash.slice(1))).length"
    )
    assert missing == 0


def test_it_prints_on_a_few_pages(reader: Eyes, run: Folder) -> None:
    page = opened(reader, run, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert 2 <= printed.count(b"/Type /Page\n") <= 9


def test_the_keyboard_reaches_every_section(reader: Eyes, run: Folder) -> None:
    page = opened(reader, run)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#course"
