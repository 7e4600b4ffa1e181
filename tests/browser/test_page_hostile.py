"""What comes from tables, models and providers is text, whatever it looks like."""

import http.client
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from run_bench import Folder, folder_before

from browser.eyes import Eyes
from browser.served import Served, run_of, served
from processor.tasks.mathml.safe import safe

EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
KOREAN = "수학 문제 — 이차방정식의 근"
MATHML = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML" xmlns:xlink="http://www.w3.org/1999/xlink">'
    '<mrow href="javascript:document.title=3" onclick="document.title=4" '
    'style="position:fixed" class="sheet"><mi xlink:href="javascript:document.title=5">x</mi>'
    "<mo>+</mo><mn>1</mn></mrow></math>"
)
FOREIGN = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>y</mi>'
    '<annotation-xml encoding="text/html"><img xmlns="http://www.w3.org/1999/xhtml" src="x" '
    'onerror="document.title=6"/></annotation-xml></semantics></math>'
)
TASK = """\
name = "evil"
model = "gpt-6-luna"
id = "id"
prompt = "Repeat after me: {{ words }} {{ mathml }}"
[output]
kind = "text"
"""
LONG = f"long {EVIL} " * 400 + "end"
ROWS = [
    {"id": f"1{EVIL}", "words": EVIL, "mathml": MATHML, f"field{EVIL}": KOREAN},
    {"id": "2", "words": KOREAN, "mathml": FOREIGN, f"field{EVIL}": ["<i>list</i>"], "cut": "x"},
    {"id": f"3{EVIL}", "words": LONG, "mathml": "x", f"field{EVIL}": None},
]

# Elements and attributes that only content can have brought.
FROM_CONTENT = """() => {
    const isStrange = ({ name, value }) => name.startsWith("on") || value.includes("javascript:");
    const isMarked = ({ name }) => ["href", "xlink:href", "style", "class"].includes(name);
    const has = (node, is) => [...node.attributes].some(is);
    return [
        ...document.querySelectorAll(":is(main, dialog) :is(script, img, iframe, b i)"),
        ...[...document.querySelectorAll("*")].filter((node) => has(node, isStrange)),
        ...[...document.querySelectorAll("math, math *")].filter((node) => has(node, isMarked)),
    ].map((node) => node.outerHTML);
}"""
FETCHES = """async (url) => {
    const api = `${url}api/runs`;
    const tries = [fetch(url), fetch(api), fetch(api, { mode: "no-cors" })];
    const ends = await Promise.allSettled(tries);
    return ends.map((end) => end.value?.status ?? "refused");
}"""
FRAME = """(url) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => done(frame.contentDocument?.querySelector("main") ?? null);
    frame.src = url;
    document.body.append(frame);
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, slow_sandbox_url: str) -> Iterator[Folder]:
    """A run of which one item failed with a message that is markup."""
    path = tmp_path_factory.mktemp("evil")
    with folder_before(slow_sandbox_url, path, rows=1) as folder:
        (path / "evil.toml").write_text(TASK)
        rows = "\n".join(json.dumps(row) for row in ROWS)
        (path / "evil.jsonl").write_text(rows + "\n")
        faults = [f"content:count=2,content={EVIL}", f"policy:after=2,message=No: {EVIL}"]
        folder.admin("faults", {"set": faults})
        process = run_of(
            folder, "--concurrency", "1", task="evil.toml", rows="evil.jsonl", out="<b>run"
        )
        _, told = process.communicate(timeout=60)
        assert process.returncode == 2, told
        yield folder


@pytest.fixture(scope="module")
def server(folder: Folder) -> Iterator[Served]:
    with served(folder.path, "<b>run") as server:
        yield server


@pytest.fixture
def page(eyes: Eyes, server: Served) -> Iterator[Page]:
    page = eyes.look(server.url)
    expect(page.locator("#items tbody tr")).to_have_count(3)
    yield page
    assert_nothing_ran(page)


def assert_nothing_ran(page: Page) -> None:
    """No element and no attribute of the content is in the page, and none of its code ran."""
    assert not page.title().isdigit()
    found = page.evaluate(FROM_CONTENT)
    assert found == []


def test_ids_fields_answers_and_errors_stay_text(page: Page) -> None:
    rows = page.locator("#items tbody tr")
    expect(rows.nth(0)).to_contain_text(f"3{EVIL}")  # the failed one is first
    expect(rows.nth(0)).to_contain_text(f"policy: No: {EVIL}")
    expect(rows.nth(1)).to_contain_text(EVIL)
    expect(page.locator("#faults li")).to_contain_text(f"3{EVIL}: No: {EVIL}")
    expect(page.locator("h1#name")).to_have_text("<b>run")


def test_a_story_shows_markup_as_text_and_draws_only_what_is_harmless(page: Page) -> None:
    page.locator("#items tbody tr").nth(1).click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("heading", level=2)).to_have_text(f"1{EVIL}")
    expect(sheet).to_contain_text(f"field{EVIL}")
    expect(sheet).to_contain_text(KOREAN)
    math = sheet.locator("math")
    expect(math).to_have_count(1)
    assert math.evaluate("(node) => node.textContent") == "x+1"
    sheet.locator("math").click(force=True)
    assert_nothing_ran(page)
    sheet.press("j")
    expect(sheet.get_by_role("heading", level=2)).to_have_text("2")
    expect(sheet.get_by_role("button", name="Show the whole")).to_have_count(0)
    assert_nothing_ran(page)


def test_a_long_text_is_cut_until_somebody_wants_the_whole(page: Page) -> None:
    page.locator("#items tbody tr").first.click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text(f"({len(LONG):,} characters)")
    sheet.get_by_role("button", name="Show the whole").click()
    expect(sheet.get_by_role("button", name="Show the whole")).to_have_count(0)
    shown = sheet.locator(".fields dd").nth(1).evaluate("(node) => node.textContent")
    assert shown == LONG


def test_the_page_itself_refuses_what_the_server_should_not_have_let_through(
    page: Page, eyes: Eyes
) -> None:
    eyes.forgiven = ["error: Applying inline", "error: Executing inline"]  # its policy, at work
    told = page.evaluate(
        """async (texts) => {
            const { drawn } = await import("/assets/mathml.js");
            return texts.map((text) => {
                const node = drawn(text);
                return node && new XMLSerializer().serializeToString(node);
            });
        }""",
        [
            MATHML,
            FOREIGN,
            "<math><mi>x</mi></math>",
            '<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=7"/>',
            "<math><script>document.title=8</script></math>",
            "<math><mi>x</math>",
            '<!DOCTYPE math [<!ENTITY e "boom">]><math><mi>&e;</mi></math>',
            "",
        ],
    )
    space = 'xmlns="http://www.w3.org/1998/Math/MathML"'
    assert told == [
        f"<math {space}><mrow><mi>x</mi><mo>+</mo><mn>1</mn></mrow></math>",
        None,
        f"<math {space}><mi>x</mi></math>",
        None,
        None,
        None,
        f"<math {space}><mi>boom</mi></math>",
        None,
    ]


def test_all_that_the_server_lets_through_is_drawn(page: Page) -> None:
    lined = '<mtd data-lines="top left" columnalign="right"><mi>x</mi></mtd>'
    texts = [
        safe(f'<menclose notation="circle box"><mn>{number}</mn></menclose>') for number in range(2)
    ] + [safe(f'<mtable frame="solid" framespacing="1em"><mtr>{lined}</mtr></mtable>')]
    told = page.evaluate(
        """async (texts) => {
            const { drawn } = await import("/assets/mathml.js");
            return texts.map((text) => new XMLSerializer().serializeToString(drawn(text)));
        }""",
        texts,
    )
    assert told == texts


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        pytest.param("GET", {"Host": "evil.example"}, id="a name that leads here"),
        pytest.param("GET", {"Origin": "https://evil.example"}, id="a page of another site"),
        pytest.param("POST", {"Origin": "https://evil.example"}, id="an order of another site"),
        pytest.param("POST", {}, id="an order without the page's token"),
    ],
)
def test_strangers_are_refused(server: Served, method: str, headers: dict[str, str]) -> None:
    path = "/api/runs/%3Cb%3Erun" + ("/control" if method == "POST" else "")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request(method, path, body=b'{"order": "pause"}', headers=headers)
    assert connection.getresponse().status == 403
    connection.close()


def test_a_page_of_another_site_reads_nothing(eyes: Eyes, server: Served) -> None:
    eyes.forgiven = ["error: "]
    page = eyes.look("about:blank")
    told = page.evaluate(FETCHES, server.url)
    assert told[:2] == ["refused", "refused"]
    assert told[2] in (0, "refused")  # an answer that nobody may read
    assert page.evaluate(FRAME, server.url) is None
