"""The page for every hand and eye: keys alone, a phone, in light and in dark."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect
from run_bench import Folder, folder_before

from browser.eyes import Eyes
from browser.served import Served, run_of, served

PHONE = {"width": 360, "height": 740}
SUBJECT = "이차방정식의 근과 계수"
ROWS = "question_id,mathml,subject\n" + "".join(
    f"q{n},<math><mfrac><mi>x</mi><mn>{n}</mn></mfrac></math>,{SUBJECT}\n" for n in range(1, 121)
)
LEAST_CONTRAST = 4.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, slow_sandbox_url: str) -> Iterator[Folder]:
    """A run of Korean questions, of which some failed."""
    path = tmp_path_factory.mktemp("runs")
    with folder_before(slow_sandbox_url, path, rows=1) as folder:
        folder.admin("faults", {"set": ["content_filter:rate=0.1"]})
        (path / "questions.csv").write_text(ROWS)
        process = run_of(
            folder, "--concurrency", "60", task="mathml", rows="questions.csv", out="수학"
        )
        _, told = process.communicate(timeout=60)
        assert process.returncode == 2, told
        yield folder


@pytest.fixture(scope="module")
def server(folder: Folder) -> Iterator[Served]:
    with served(folder.path, "수학") as server:
        yield server


def ready(page: Page) -> Page:
    """With the run and its items."""
    expect(page.locator("#items tbody tr").first).to_be_visible()
    return page


def focused(page: Page) -> str:
    """What has the focus, by its id or row."""
    told: str = page.evaluate(
        "(({ id, dataset, tagName }) => id || dataset.key || tagName)(document.activeElement)"
    )
    return told


def test_everything_is_reached_by_keys_alone(eyes: Eyes, server: Served) -> None:
    page = ready(eyes.look(server.url))
    keys = page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    keys.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("search the items")
    keys.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()

    keys.press("/")
    assert focused(page) == "text"
    keys.type("q11")
    expect(page.locator("#items tbody tr")).to_have_count(11)  # q11 and q110 to q119
    keys.press("Escape")
    expect(page.locator("#items tbody tr")).to_have_count(50)
    keys.press("Escape")
    assert focused(page) == "BODY"

    keys.press("f")
    expect(page.locator("#status")).to_have_value("failed")
    rows = page.locator("#items tbody tr")
    expect(rows.first).to_contain_text("filtered")
    expect(page.locator("#items-said")).to_contain_text("that is all")
    rows.first.focus()
    first, second = (rows.nth(place).get_attribute("data-key") for place in (0, 1))
    name = rows.first.locator(".id").inner_text()
    keys.press("ArrowDown")
    assert focused(page) == second
    keys.press("Enter")
    sheet = page.locator("#story")
    expect(sheet).to_be_visible()
    expect(sheet.locator("math")).to_have_count(1)
    assert page.url.endswith(f"/item/{second}")
    keys.press("k")
    expect(sheet.get_by_role("heading", level=2)).to_have_text(name)
    assert page.url.endswith(f"/item/{first}")
    keys.press("Escape")
    expect(sheet).to_be_hidden()
    assert focused(page) == first  # back where one was


SYNCED = """async (lists) => {
    const { sync } = await import("/assets/dom.js");
    const parent = document.body.appendChild(document.createElement("div"));
    const create = () => Object.assign(document.createElement("div"), { tabIndex: 0 });
    return lists.map(([focused, ...shown]) => {
        sync(parent, shown[0], (key) => key, create, () => {});
        parent.querySelector(`[data-key="${focused}"]`).focus();
        sync(parent, shown[1], (key) => key, create, () => {});
        const now = Array.from(parent.children, (child) => child.dataset.key).join("");
        return [now, document.activeElement.dataset.key];
    });
}"""


def test_the_focus_stays_where_it_is_while_a_list_changes(eyes: Eyes, server: Served) -> None:
    page = ready(eyes.look(server.url))
    told = page.evaluate(
        SYNCED,
        [
            ["c", [*"abc"], [*"bc"]],  # something before it went
            ["b", [*"abc"], [*"xaybc"]],  # something came
            ["b", [*"abc"], [*"bca"]],  # it was moved
            ["b", [*"abc"], [*"ac"]],  # it went itself: its neighbour takes its place
            ["c", [*"abc"], [*"ab"]],
        ],
    )
    assert told == [["bc", "c"], ["xaybc", "b"], ["bca", "b"], ["ac", "c"], ["ab", "b"]]


def test_an_item_is_a_link_that_leads_to_it(eyes: Eyes, server: Served) -> None:
    page = ready(eyes.look(server.url))
    link = page.locator("#items tbody tr").nth(1).get_by_role("link")
    name = link.inner_text()
    other = page.context.new_page()
    other.goto(server.url + (link.get_attribute("href") or ""))
    expect(other.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(name)
    link.click()
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text(name)


def test_a_list_that_leaves_runs_out_says_so(eyes: Eyes, server: Served) -> None:
    page = eyes.look(server.url + "#/")
    line = page.request.get(f"{server.url}api/runs").json()[0]
    many = [{**line, "name": f"run {number}"} for number in range(63)]
    page.route("**/api/runs", lambda route: route.fulfill(json=many))
    expect(page.locator("#run-list > li")).to_have_count(60)
    expect(page.locator("#more-runs")).to_contain_text("and 3 older runs")


def test_the_focus_is_always_seen_and_every_control_has_a_name(eyes: Eyes, server: Served) -> None:
    page = ready(eyes.look(server.url))
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        place, outline, name = page.evaluate("""() => {
            const node = document.activeElement;
            const style = getComputedStyle(node);
            const label = node.labels?.[0]?.textContent ?? "";
            const name = node.getAttribute("aria-label") || label || node.textContent.trim();
            return [node.id || node.className || node.tagName, style.outlineStyle, name];
        }""")
        if place == "BODY":  # once round
            break
        assert outline != "none", place
        assert name, place
        seen.add(place)
    assert {"skip", "theme", "help", "plot", "text", "status", "code", "lane", "again"} <= seen


def test_a_phone_shows_all_in_one_column(eyes: Eyes, server: Served) -> None:
    page = ready(eyes.look(server.url, **PHONE, has_touch=True, is_mobile=True))
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    lefts = page.locator(".chart:visible").evaluate_all(
        "(nodes) => nodes.map((node) => Math.round(node.getBoundingClientRect().left))"
    )
    assert len(set(lefts)) == 1
    page.locator("#items tbody tr").first.tap()
    sheet = page.locator("#story")
    expect(sheet).to_contain_text(SUBJECT)
    assert sheet.evaluate("(node) => node.scrollWidth") <= PHONE["width"]
    page.get_by_role("button", name="Close", exact=True).tap()
    expect(sheet).to_be_hidden()
    page.goto(server.url + "#/")
    expect(page.locator("#run-list li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


CONTRASTS = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (node) => {
        for (let one = node; one; one = one.parentElement) {
            const colour = rgba(getComputedStyle(one).backgroundColor);
            if (colour[3] > 200) return colour;
        }
        return [255, 255, 255];
    };
    const isText = ({ nodeType, data }) => nodeType === 3 && data.trim();
    const hasText = (node) => [...node.childNodes].some(isText);
    const isAside = (node) => node.disabled || node.closest(".hidden, .skip");
    const isSeen = (node) => node.checkVisibility() && !isAside(node);
    const found = {};
    for (const node of [...document.querySelectorAll("body *")].filter(hasText).filter(isSeen)) {
        const { fill, color } = getComputedStyle(node);
        const colour = rgba(node.ownerSVGElement ? fill : color);
        const [one, other] = [light(colour), light(behind(node))].sort((a, b) => b - a);
        const name = `${node.tagName}.${node.className?.baseVal ?? node.className} ${colour}`;
        found[name] = (one + 0.05) / (other + 0.05);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_read_easily_in_light_and_in_dark(
    eyes: Eyes, server: Served, scheme: str
) -> None:
    page = ready(eyes.look(server.url, color_scheme=scheme))
    contrasts: dict[str, float] = page.evaluate(CONTRASTS)
    page.locator("#items tbody tr").first.click()
    expect(page.locator("#story math")).to_have_count(1)
    contrasts |= page.evaluate(CONTRASTS)
    assert len(contrasts) > 30
    assert {name: told for name, told in contrasts.items() if told < LEAST_CONTRAST} == {}


def test_the_switch_of_colours_goes_before_the_system_and_is_kept(
    eyes: Eyes, server: Served
) -> None:
    page = ready(eyes.look(server.url, color_scheme="dark"))
    colour = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(colour)
    switch = page.locator("#theme")
    expect(switch).to_have_accessible_name("Colours: as the system")
    switch.click()
    expect(switch).to_have_accessible_name("Colours: light")
    light = page.evaluate(colour)
    assert light != dark
    page.reload()
    assert page.evaluate(colour) == light
    page.keyboard.press("t")
    expect(switch).to_have_accessible_name("Colours: dark")
    assert page.evaluate(colour) == dark


def test_items_are_searched_and_turned_page_by_page(eyes: Eyes, server: Served) -> None:
    page = ready(eyes.look(server.url))
    rows = page.locator("#items tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="More", exact=True).click()
    expect(rows).to_have_count(100)
    page.get_by_role("button", name="More", exact=True).click()
    expect(rows).to_have_count(120)
    expect(page.locator("#items-said")).to_have_text("120 items shown, that is all.")
    keys = rows.evaluate_all("(nodes) => nodes.map((node) => node.dataset.key)")
    assert len(set(keys)) == 120
    page.locator("#text").fill("근과 계수")
    expect(rows).to_have_count(50)
    page.locator("#text").fill("nowhere to be found")
    expect(page.locator("#items-said")).to_have_text("No item is like that.")
    page.locator("#text").fill("")
    page.locator("#code").select_option("filtered")
    expect(rows.first.locator(".badge")).to_have_text("failed")
    failed = int(page.locator('[data-figure="failed"]').inner_text())
    expect(rows).to_have_count(failed)


def test_the_page_asks_for_all_its_files_at_once(eyes: Eyes, server: Served) -> None:
    ready(eyes.look(server.url))
    static = files("processor.web") / "static"
    scripts = {path.name for path in static.iterdir() if path.name.endswith(".js")}
    page = (static / "index.html").read_text("utf-8")
    assert set(re.findall(r'"/assets/(\w+\.js)"', page)) == scripts
    loaded = {url.rpartition("/")[2] for url in eyes.requests if url.endswith(".js")}
    assert loaded == scripts
