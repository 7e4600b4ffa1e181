"""MathML of strangers, as it may stand in a page."""

from collections.abc import Mapping
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, strategies as st

from processor.tasks import formulas
from processor.tasks.mathml.canonical import canonical
from processor.tasks.mathml.parsing import MAX_DEPTH, UnreadableError
from processor.tasks.mathml.safe import _ATTRIBUTES, _DRAWN, _TOKENS, NAMESPACE, safe
from processor.tasks.mathml.styles import styled

ROOT = f'<math xmlns="{NAMESPACE}" display="block">'
HOSTILE = (
    "<script>alert(1)</script>",
    '<mtext><img src="x" onerror="alert(1)"/></mtext>',
    '<mi href="javascript:alert(1)" xlink:href="javascript:alert(1)">x</mi>',
    '<a href="javascript:alert(1)">x</a>',
    '<mi onclick="alert(1)" style="position:fixed" class="c" id="i">x</mi>',
    '<maction actiontype="statusline#http://x"><mi>x</mi><mi>y</mi></maction>',
    "<semantics><mi>x</mi><annotation-xml><b>x</b></annotation-xml></semantics>",
    "<mtext><mglyph><svg><style>&lt;/style&gt;&lt;img onerror=x&gt;</style></svg></mglyph></mtext>",
    "<mtext>&lt;/mtext&gt;&lt;script&gt;alert(1)&lt;/script&gt;</mtext>",
    "<mtext><![CDATA[</mtext><script>alert(1)</script>]]></mtext>",
    "<mi>x<math><mi>y</mi></math></mi>",
    '<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>',
    "<MI><SCRIPT>alert(1)</SCRIPT></MI>",
    '<mfenced open="&lt;img onerror=x&gt;" close=\'"onclick="\'><mi>x</mi></mfenced>',
    '<mspace width="99999px"/>',
    '<mstyle mathbackground="url(http://x)" mathsize="900em"><mi>x</mi></mstyle>',
    '<mi mathvariant="normal&quot; onclick=&quot;alert(1)">x</mi>',
    "<!-- <script> --><?php x?><mi>x</mi>",
    "\u202e<mi>\u202ex</mi>",
)


class Tags(HTMLParser):
    """What a parser of HTML finds."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.others: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def assert_harmless(markup: str) -> None:
    """Only listed names, whoever reads it; elements of text hold nothing but text."""
    assert markup.startswith(ROOT)
    assert markup.endswith("</math>")
    read = Tags(markup)
    assert not read.others
    for tag, attributes in read.found[1:]:
        assert tag in _DRAWN
        for name, value in attributes:
            assert value is not None
            assert _ATTRIBUTES[name].fullmatch(value)
    tree = ET.fromstring(markup)
    names = [element.tag.removeprefix(f"{{{NAMESPACE}}}") for element in tree.iter()]
    assert names == [tag for tag, _ in read.found]
    assert all(not len(one) for one in tree.iter() if one.tag.rpartition("}")[2] in _TOKENS)


@pytest.mark.parametrize("markup", HOSTILE)
def test_nothing_but_mathml_is_left_of_hostile_markup(markup: str) -> None:
    written = safe(f"<math><mrow>{markup}</mrow></math>".replace("xlink:", "xlink_"))
    assert_harmless(written)
    assert "alert(1)" not in written.replace("&lt;script&gt;alert(1)", "")


def test_a_link_with_a_prefix_is_no_link() -> None:
    markup = '<math xmlns:xlink="x"><mi xlink:href="javascript:alert(1)">x</mi></math>'
    assert safe(markup) == f"{ROOT}<mrow><mrow><mi>x</mi></mrow></mrow></math>"


@pytest.mark.parametrize(
    ("markup", "inside"),
    [
        pytest.param(
            '<mfenced open="[" close=")" separators=";,"><mi>a</mi><mi>b</mi><mi>c</mi></mfenced>',
            "<mrow><mo>[</mo><mi>a</mi><mo>;</mo><mi>b</mi><mo>,</mo><mi>c</mi><mo>)</mo></mrow>",
            id="fenced",
        ),
        pytest.param(
            '<maction selection="2"><mi>a</mi><mi>b</mi></maction>', "<mi>b</mi>", id="action"
        ),
        pytest.param("길이 <mi>x</mi>", "<mtext>길이 </mtext><mi>x</mi>", id="among text"),
        pytest.param("<mtext>a<b>b</b>&lt;</mtext>", "<mtext>ab&lt;</mtext>", id="HTML in text"),
        pytest.param(
            '<mspace width="-0.167em" linebreak="newline"/>',
            '<mspace width="-0.167em"></mspace>',
            id="space",
        ),
        pytest.param(
            '<mtd style="text-align: right;color: red;"><mi>x</mi></mtd>',
            '<mtd columnalign="right"><mi>x</mi></mtd>',
            id="aligned by style",
        ),
        pytest.param(
            '<mtd style="border-top: 0.05em solid currentcolor;border-right: 1px solid"></mtd>',
            '<mtd data-lines="top right"></mtd>',
            id="lines by style",
        ),
        pytest.param(
            '<mstyle mathvariant="bold"><mi>v</mi><mn>3</mn><mtext>v</mtext>'
            '<mi mathvariant="normal">d</mi></mstyle>',
            '<mstyle><mi>𝐯</mi><mn>𝟑</mn><mtext>v</mtext><mi mathvariant="normal">d</mi></mstyle>',
            id="bold",
        ),
        pytest.param("<mo>&InvisibleTimes;</mo>", "<mo>\u2062</mo>", id="entity"),
    ],
)
def test_it_is_drawn_as_it_was_meant(markup: str, inside: str) -> None:
    assert safe(markup) == f"{ROOT}<mrow>{inside}</mrow></math>"


@pytest.mark.parametrize(
    ("style", "letters"),
    [
        ("bold", "𝐀𝐡𝟏𝛂한"),
        ("italic", "𝐴ℎ1𝛼한"),
        ("bold-italic", "𝑨𝒉1𝜶한"),
        ("double-struck", "𝔸𝕙𝟙α한"),
        ("script", "𝒜𝒽1α한"),
        ("fraktur", "𝔄𝔥1α한"),
        ("sans-serif", "𝖠𝗁𝟣α한"),
        ("monospace", "𝙰𝚑𝟷α한"),
        ("normal", "Ah1α한"),
        ("no such", "Ah1α한"),
    ],
)
def test_letters_have_their_styles(style: str, letters: str) -> None:
    assert styled("Ah1α한", style) == letters
    assert styled("RCe", "double-struck") == "ℝℂ𝕖"
    assert styled("B", "script") == "ℬ"


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<math><mi>x</math>", id="not well-formed"),
        pytest.param("<!DOCTYPE x [<!ENTITY a 'b'>]><math>&a;</math>", id="document type"),
        pytest.param("<mrow>" * (MAX_DEPTH + 1) + "</mrow>" * (MAX_DEPTH + 1), id="deep"),
        pytest.param("<mi>x</mi>" * 5_001, id="many elements"),
        pytest.param(f"<mi>{'x' * 100_000}</mi>", id="long"),
    ],
)
def test_what_cannot_be_drawn_is_not(markup: str) -> None:
    with pytest.raises(UnreadableError):
        safe(markup)
    assert formulas.of_field(f"<math>{markup}</math>") is None


_NAMES = st.sampled_from(
    [
        *("math", "mrow", "mi", "mo", "mtext", "mfrac", "msup", "mfenced", "maction", "semantics"),
        *(
            "annotation-xml",
            "script",
            "svg",
            "style",
            "a",
            "img",
            "mglyph",
            "foreignObject",
            "m:mi",
        ),
    ]
)
_VALUES: st.SearchStrategy[str] = st.text(max_size=12) | st.sampled_from(["1em", "true", "2"])
_KEYS = st.sampled_from(["href", "onclick", "style", "width", "open", "separators", "selection"])


def _element(name: str, attributes: Mapping[str, str], inside: list[str]) -> str:
    told = "".join(f" {key}={_quoted(value)}" for key, value in attributes.items())
    return f"<{name}{told}>{''.join(inside)}</{name}>"


def _quoted(value: str) -> str:
    return '"' + value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;") + '"'


_TEXT = st.text(max_size=8) | st.sampled_from(["&lt;script&gt;", "<![CDATA[</mi><script>]]>"])
_MARKUP = st.recursive(
    _TEXT,
    lambda inner: st.builds(
        _element,
        _NAMES,
        st.dictionaries(_KEYS, _VALUES, max_size=3),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(_MARKUP)
@example("<mi>]]&gt;</mi>")
def test_whatever_is_written_is_harmless(markup: str) -> None:
    try:
        written = safe(markup)
    except UnreadableError:
        return
    assert_harmless(written)
    assert safe(written.replace(ROOT, "<mrow>").replace("</math>", "</mrow>"))


def test_source_and_answer_look_the_same() -> None:
    source = formulas.of_field("<math><mfrac><mn>1</mn><msqrt><mi>x</mi></msqrt></mfrac></math>")
    answer = formulas.of_latex(r"\frac{1}{\sqrt{x}}")
    assert source is not None
    assert answer is not None
    assert canonical(source) == canonical(answer)
    assert_harmless(answer)


@pytest.mark.parametrize("latex", [r"\frac{1", r"\nosuchcommand x", "x" * 20_001])
def test_latex_that_cannot_be_drawn_is_not(latex: str) -> None:
    assert formulas.of_latex(latex) is None


def test_words_of_an_answer_stay_words() -> None:
    drawn = formulas.of_latex(r"\text{<img onerror=x>}")
    assert drawn is not None
    assert "<mtext>&lt;img" in drawn
    assert_harmless(drawn)


@pytest.mark.parametrize("value", [None, 3, "", "a < b", "<math></math>"])
def test_a_field_without_a_formula_has_none(value: object) -> None:
    assert formulas.of_field(value) is None
