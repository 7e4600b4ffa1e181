"""Which MathML looks the same, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from processor.tasks.mathml.canonical import canonical
from processor.tasks.mathml.form import difference, text
from processor.tasks.mathml.parsing import MAX_DEPTH, UnreadableError

X2 = "<msup><mi>x</mi><mn>2</mn></msup>"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(X2, f"<math><mrow>{X2}</mrow></math>", id="wrappers"),
        pytest.param(
            X2, f'\n <?xml version="1.0"?> <m:math><m:mstyle>{X2}</m:mstyle></m:math>', id="prefix"
        ),
        pytest.param(
            X2,
            f"<math><semantics>{X2}<annotation>x^2</annotation></semantics></math>",
            id="semantics",
        ),
        pytest.param(
            X2,
            f"<semantics>{X2}<annotation-xml><apply/></annotation-xml></semantics>",
            id="content beside",
        ),
        pytest.param(
            X2, "<msup><mi mathvariant='bold'> x </mi>\n<mn>2</mn></msup>", id="style, space"
        ),
        pytest.param(X2, "<mi>𝑥²</mi>", id="characters for styles and scripts"),
        pytest.param(
            X2,
            f"{X2}<mspace width='1em'/><mo>&#x2062;</mo><mphantom><mi>y</mi></mphantom>",
            id="unseen",
        ),
        pytest.param("<mn>12</mn>", "<mn>1</mn><mn>２</mn>", id="split number, full width"),
        pytest.param("<mi>sin</mi>", "<mtext> s&nbsp;in </mtext>", id="name, entity"),
        pytest.param("<mo>−</mo>", "<mo>&minus;</mo>", id="minus entity"),
        pytest.param("<mo>−</mo>", "<mo>-</mo>", id="minus"),
        pytest.param("<mo>≦</mo>", "<mo>&#8804;</mo>", id="less or equal"),
        pytest.param("<mo>∥</mo>", "<mo>|</mo><mo>|</mo>", id="parallel"),
        pytest.param("<mi>f</mi><mo>'</mo>", "<msup><mi>f</mi><mo>′</mo></msup>", id="prime"),
        pytest.param(
            "<msup><msub><mi>x</mi><mn>1</mn></msub><mo>′</mo></msup>",
            "<msubsup><mi>x</mi><mn>1</mn><mo>′</mo></msubsup>",
            id="prime and subscript",
        ),
        pytest.param("<mn>90</mn><mo>°</mo>", "<msup><mn>90</mn><mo>∘</mo></msup>", id="degree"),
        pytest.param(
            "<msub><msup><mi>x</mi><mn>2</mn></msup><mn>1</mn></msub>",
            "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>",
            id="order of scripts",
        ),
        pytest.param(
            "<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>",
            "<msubsup><mi>Σ</mi><mi>i</mi><mi>n</mi></msubsup>",
            id="limits of a sum",
        ),
        pytest.param(
            "<munder><mo>lim</mo><mi>n</mi></munder>",
            "<msub><mi>lim</mi><mi>n</mi></msub>",
            id="limit",
        ),
        pytest.param(
            "<mmultiscripts><mi>C</mi><mi>r</mi><none/><mprescripts/><mi>n</mi><none/></mmultiscripts>",
            "<msub><mrow/><mi>n</mi></msub><msub><mi>C</mi><mi>r</mi></msub>",
            id="combinations",
        ),
        pytest.param(
            "<mfenced><mi>a</mi><mi>b</mi></mfenced>",
            "<mo>(</mo><mi>a</mi><mo>,</mo><mi>b</mi><mo>)</mo>",
            id="fence",
        ),
        pytest.param(
            "<mfenced open='[' close=']' separators='; |'>"
            "<mi>a</mi><mi>b</mi><mi>c</mi><mi>d</mi></mfenced>",
            "<mtext>[a;b|c|d]</mtext>",
            id="separators",
        ),
        pytest.param(
            "<mover><mi>x</mi><mo>¯</mo></mover>",
            "<menclose notation='top'><mi>x</mi></menclose>",
            id="bar",
        ),
        pytest.param(
            "<munder><mover><mi>a</mi><mi>b</mi></mover><mi>c</mi></munder>",
            "<munderover><mi>a</mi><mi>c</mi><mi>b</mi></munderover>",
            id="under and over",
        ),
        pytest.param(
            "<msqrt><mn>2</mn></msqrt>", "<mroot><mn>2</mn><mn>2</mn></mroot>", id="square root"
        ),
        pytest.param(
            "<mtable><mtr><mtd><mi>y</mi></mtd><mtd><mo>=</mo></mtd><mtd><mn>1</mn></mtd></mtr></mtable>",
            "<mi>y</mi><mo>=</mo><mn>1</mn>",
            id="an equation in columns",
        ),
        pytest.param(
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd/></mtr><mtr><mtd><mn>2</mn></mtd></mtr><mtr/></mtable>",
            "<mtable><mlabeledtr><mtd>(3)</mtd><mtd><mn>1</mn></mtd></mlabeledtr><mtr><mtd><mn>2</mn></mtd></mtr></mtable>",
            id="empty cells, labels",
        ),
        pytest.param(
            "<mtext>가</mtext>", "<mtext>\u1100\u1161</mtext>", id="Korean composed, decomposed"
        ),
    ],
)
def test_looks_the_same(one: str, other: str) -> None:
    assert difference(canonical(one), canonical(other)) is None


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("<mn>12</mn>", "<mn>13</mn>", ("12", "13")),
        ("<mn>12</mn>", "<mn>1</mn>", ("12", "1(end)")),
        (X2, "<mi>x</mi><mn>2</mn>", ("x^{2}", "x2")),
        (X2, "<msub><mi>x</mi><mn>2</mn></msub>", ("x^{2}", "x_{2}")),
        ("<mi>ℝ</mi>", "<mi>R</mi>", ("ℝ", "R")),
        ("<mn>①</mn>", "<mn>1</mn>", ("①", "1")),
        ("<mn>10²</mn>", "<mn>102</mn>", ("10^{2}", "102")),
        (
            "<mfrac><mn>1</mn><mn>2</mn></mfrac>",
            "<mfrac><mn>2</mn><mn>1</mn></mfrac>",
            ("1", "2"),
        ),
        (
            "<mfrac linethickness='0'><mi>n</mi><mi>k</mi></mfrac>",
            "<mfrac><mi>n</mi><mi>k</mi></mfrac>",
            ("binom{n}{k}", "frac{n}{k}"),
        ),
        (
            "<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>¯</mo></mover>",
            "<mi>A</mi><mover><mi>B</mi><mo>¯</mo></mover>",
            ("stack{AB}{}{¯}", "Astack{B}{}{¯}"),
        ),
        (
            "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>",
            "<mtable><mtr><mtd><mn>12</mn></mtd></mtr></mtable>",
            ("table{row{1}{2}}", "12"),
        ),
    ],
)
def test_looks_different(one: str, other: str, found: tuple[str, str]) -> None:
    assert difference(canonical(one), canonical(other)) == found


def test_double_struck_by_variant_is_the_letter_of_the_set() -> None:
    assert canonical('<mi mathvariant="double-struck">R</mi>') == canonical("<mi>ℝ</mi>")


def nested(depth: int) -> str:
    return "<msqrt>" * depth + "<mi>x</mi>" + "</msqrt>" * depth


@pytest.mark.parametrize(
    ("mathml", "reason"),
    [
        ('<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><math>&b;</math>', "document type"),
        ('<!DOCTYPE m SYSTEM "file:///etc/passwd"><math/>', "document type"),
        ("<math><mi>x</math>", "not well-formed"),
        ("<math><mi>&unheardof;</mi></math>", "not well-formed"),
        ("a < b", "not well-formed"),
        ("\ud800", "not well-formed"),
        ("<math><apply><plus/></apply></math>", "<apply> is not presentation MathML"),
        ("<mfrac><mn>1</mn></mfrac>", "<mfrac> cannot have 1 parts"),
        ("<mmultiscripts/>", "<mmultiscripts> cannot have 0 parts"),
        ("<maction selection='9'><mi>x</mi></maction>", "<maction> cannot have 1 parts"),
        ("<maction selection='x'><mi>x</mi></maction>", "<maction> cannot have 1 parts"),
        (nested(MAX_DEPTH), "nested deeper"),
        (nested(100_000), "nested deeper"),
        ("<mrow>" * 100_000, "nested deeper"),
    ],
)
def test_unreadable(mathml: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        canonical(mathml)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("part", [" ", "\n", "<?xml ", "<?", "&", "&a", "a", "<mn>"])
def test_endless_sources_do_not_stall(part: str) -> None:
    with suppress(UnreadableError):
        canonical(part * 200_000 + "x")


def test_the_deepest_form_that_is_read_can_be_compared_and_shown() -> None:
    form = canonical(nested(MAX_DEPTH - 2))
    other = canonical(nested(MAX_DEPTH - 2).replace("<mi>x", "<mi>y"))
    assert difference(form, other) == ("x", "y")
    assert text(form).startswith("root{root{")


def test_hidden_subtrees_may_be_of_any_depth() -> None:
    deep = "<a>" * 1000 + "</a>" * 1000
    assert canonical(f"<mi>x</mi><mphantom>{deep}</mphantom>") == ("x",)


leaves = st.sampled_from(
    ["<mi>x</mi>", "<mn>12</mn>", "<mo>+</mo>", "<mtext>이고 </mtext>", "<mspace/>"]
)
formulas = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.lists(parts, max_size=4).map(lambda p: f"<mrow>{''.join(p)}</mrow>"),
        st.tuples(
            st.sampled_from(["mfrac", "msup", "msub", "mover", "munder", "mroot"]), parts, parts
        ).map(lambda t: f"<{t[0]}>{t[1]}{t[2]}</{t[0]}>"),
        st.lists(parts, min_size=1, max_size=3).map(
            lambda p: f"<mtable><mtr>{''.join(f'<mtd>{c}</mtd>' for c in p)}</mtr></mtable>"
        ),
    ),
    max_leaves=12,
)


@given(formulas)
def test_wrappers_and_styles_never_change_a_form(mathml: str) -> None:
    styled = mathml.replace("<mi>", '<mi mathvariant="italic">\n').replace(
        "<mrow>", "<mstyle><mrow>"
    )
    styled = styled.replace("</mrow>", "</mrow></mstyle>")
    assert canonical(f"<math><mpadded>{styled}</mpadded></math>") == canonical(mathml)


@given(formulas)
def test_a_changed_digit_is_always_found(mathml: str) -> None:
    if "<mn>12" in mathml:
        changed = mathml.replace("<mn>12", "<mn>72", 1)
        assert difference(canonical(mathml), canonical(changed)) is not None


@given(st.text(alphabet="<>/&;mathrowisn =\"'x\x00\ufffe", max_size=60))
def test_any_text_is_read_or_refused(mathml: str) -> None:
    try:
        form = canonical(mathml)
    except UnreadableError:
        return
    assert difference(form, form) is None
