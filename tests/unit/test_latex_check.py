"""LaTeX answers against the MathML that they must look like."""

import re
import threading
import unicodedata

import pytest
from hypothesis import given, strategies as st

from processor.items import Accepted, Invalid, Item
from processor.tasks.latex.check import LatexCheck
from processor.tasks.latex.mathlive import commands

CHECK = LatexCheck(source="mathml")
X2 = "<msup><mi>x</mi><mn>2</mn></msup>"


def verdict(answer: str, mathml: str | None = f"<math>{X2}</math>") -> Accepted | Invalid:
    return CHECK(Item(seq=1, chunk=1, id=1, fields={"mathml": mathml}), answer)


def accepted(answer: str, mathml: str | None = f"<math>{X2}</math>") -> Accepted:
    found = verdict(answer, mathml)
    assert isinstance(found, Accepted), found
    return found


def problem(answer: str, mathml: str | None = f"<math>{X2}</math>") -> str:
    found = verdict(answer, mathml)
    assert isinstance(found, Invalid), found
    return found.problem


CASES = (
    "<mo>{</mo><mtable><mtr><mtd><mn>2</mn><mi>x</mi></mtd><mtd><mo>=</mo></mtd><mtd><mn>3</mn></mtd></mtr>"
    "<mtr><mtd><mi>x</mi></mtd><mtd><mo>≥</mo></mtd><mtd><mn>0</mn></mtd></mtr></mtable>"
)
MATRIX = (
    "<mrow><mo>[</mo><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mo>−</mo><mn>2</mn></mtd></mtr>"
    "<mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable><mo>]</mo></mrow>"
)
ARC = "<mover><mrow><mi>A</mi><mi>B</mi></mrow><mo>⌒</mo></mover>"
LIMIT = (
    "<munder><mi>lim</mi><mrow><mi>n</mi><mo>→</mo><mi>∞</mi></mrow></munder>"
    "<msub><mi>a</mi><mi>n</mi></msub>"
)


@pytest.mark.parametrize(
    ("mathml", "latex"),
    [
        (X2, r"x^2"),
        (X2, r"{x}^{2}\,"),
        (X2, r"\displaystyle x^{2}"),
        (CASES, r"\begin{cases}2x=3\\x\geq 0\end{cases}"),
        (CASES, r"\left\{\begin{aligned}2x&=3\\[2pt]x&\ge 0\end{aligned}\right."),
        (CASES, r"\left\{\begin{array}{rcl}2x&=&3\\x&\geqq&0\end{array}\right."),
        (MATRIX, r"\begin{bmatrix}1&-2\\3&4\end{bmatrix}"),
        (MATRIX, r"\left[\begin{matrix*}[r]1&-2\\3&4\end{matrix*}\right]"),
        (MATRIX, r"\left[\begin{smallmatrix}1&-2\\3&4\\\end{smallmatrix}\right]"),
        (ARC, r"\overset{\frown}{AB}"),
        (ARC, r"\overparen{AB}"),
        (ARC, r"\overarc{\mathrm{AB}}"),
        (LIMIT, r"\lim_{n\to\infty}a_n"),
        (LIMIT, r"\lim\limits_{n \rightarrow \infty} a_{n}"),
        (LIMIT, r"\underset{n\to\infty}{\lim}a_n"),
        ("<mtext>넓이가 </mtext><mn>3</mn><mi>cm</mi>", r"\text{넓이가 }3\,\mathrm{cm}"),
        ("<msub><mi></mi><mn>5</mn></msub><msub><mi>C</mi><mn>2</mn></msub>", r"{}_5\mathrm{C}_2"),
        ("<mn>50</mn><mo>%</mo>", r"50\%"),
        ("<mover><mi>a</mi><mo>→</mo></mover>", r"\vec{a}"),
        ("<mover><mi>AB</mi><mo>→</mo></mover>", r"\overrightarrow{AB}"),
        ("<mn>0.</mn><mover><mn>3</mn><mo>˙</mo></mover>", r"0.\dot{3}"),
        (
            "<mi>A</mi><mo>∩</mo><mi>∅</mi><mo>⊂</mo><mi>ℝ</mi>",
            r"A\cap\varnothing\subset\mathbb{R}",
        ),
        ("<mo>|</mo><mi>x</mi><mo>|</mo>", r"\left\lvert x\right\rvert"),
        ("<mtext>if </mtext><mi>x</mi><mtext> is 1</mtext>", r"\text{if $x$ is $1$}"),
        (X2, r"\colorbox{red}{x^2}"),
        ("<mi>a</mi><mo>:</mo><mi>b</mi>", r"a:b"),
        ("<menclose notation='box'><mi>가</mi></menclose>", r"\boxed{\text{가}}"),
    ],
)
def test_verified(mathml: str, latex: str) -> None:
    assert accepted(latex, f"<math>{mathml}</math>") == Accepted(result=latex, check="verified")


@pytest.mark.parametrize(
    ("answer", "result", "note"),
    [
        ("```latex\nx^2\n```", "x^2", "code fence taken off"),
        ("```x^2```", "x^2", "code fence taken off"),
        ("`x^2`", "x^2", "backticks taken off"),
        ("$x^2$", "x^2", "$ … $ taken off"),
        ("$$\nx^2\n$$", "x^2", "$$ … $$ taken off"),
        (r"\(x^2\)", "x^2", r"\( … \) taken off"),
        (r"\[ x^2\ \]", r"x^2\ ", r"\[ … \] taken off"),
        (r"x^2\nonumber", "x^2", r"\nonumber left out"),
        (r"{\rm x}^2", r"\mathrm{x}^2", r"\rm mended to \mathrm"),
        (r"\fbox{x^2}", r"\boxed{x^2}", r"\fbox mended to \boxed"),
    ],
)
def test_mended_and_noted(answer: str, result: str, note: str) -> None:
    found = accepted(answer)
    assert (found.result, found.notes[0]) == (result, note)


def test_wrappers_in_wrappers_are_all_taken_off() -> None:
    assert accepted("```\n$$x^2$$\n```") == Accepted(
        result="x^2", check="verified", notes=("code fence taken off", "$$ … $$ taken off")
    )


def test_mended_commands_are_compared_as_mended() -> None:
    source = "<mn>1</mn><mo>,</mo><mo>…</mo><mo>,</mo><mi>n</mi>"
    assert accepted(r"1,\dots,n", source) == Accepted(
        result=r"1,\ldots,n", check="verified", notes=(r"\dots mended to \ldots",)
    )


def test_a_bare_percent_sign_hides_nothing() -> None:
    source = "<mn>5</mn><mo>%</mo><mo>+</mo><mi>x</mi>"
    found = accepted(r"5%+x", source)
    assert (found.result, found.check) == (r"5\%+x", "verified")


def test_korean_of_the_source_is_put_into_text() -> None:
    found = accepted("x=1 또는 x=2", "<mtext>x=1 또는 x=2</mtext>")
    assert (found.result, found.check) == (r"x=1\text{ 또는 }x=2", "verified")


@pytest.mark.parametrize("space", ["\\ ", "\\\\\\ "])
def test_the_space_of_a_last_command_stays(space: str) -> None:
    assert accepted(f" x^2{space}\n").result == f"x^2{space}"


@pytest.mark.parametrize("answer", ["", "  \n", "```\n```", "$$$$", "\\)"])
def test_nothing_is_no_answer(answer: str) -> None:
    assert isinstance(verdict(answer), Invalid)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Sure!\n```latex\nx^2\n```", "code fence"),
        ("The result is $x^2$", "delimiters"),
        ("Here is the LaTeX code you wanted: x^2", 'words outside the formula ("Here is the LaTeX'),
        ("LaTeX: x^2", "words outside"),
        ("x^2 입니다", 'words outside the formula ("입니다")'),
        ("x^2\n\nThis means x squared.", "words outside"),
        ("<math><mi>x</mi></math>", "markup (<math>)"),
        (r"x^2</mrow>", "markup (</mrow>)"),
        (r"x&minus;2", "markup (&minus;)"),
        (r"x&#8722;2", "markup (&#8722;)"),
        (r"x&lt;2", "markup (&lt;)"),
        (r"\frac{1}{2", "does not parse: Expected closing token"),
        (r"x^2^3", "does not parse: Duplicate"),
        (r"\left(x", "does not parse"),
        (r"x & y", "does not parse"),
        ("x^2}", "does not parse"),
        ("x\ud800", "does not parse: half of a character"),
        (r"\substack{a}", r"MathLive does not know \substack"),
        (r"\begin{tabular}{c}x\end{tabular}", r"MathLive does not know \begin{tabular}"),
        (r"\newcommand{\a}{x}\a", r"\newcommand"),
        # Past a command that math-core lacks, errors are still found.
        (r"\rule{1pt}{2pt}\frac{1}{2", "does not parse"),
    ],
)
def test_invalid(answer: str, said: str) -> None:
    assert said in problem(answer)


@pytest.mark.parametrize(
    ("mathml", "latex"),
    [
        ("<mi>ABCD</mi><mo>:</mo><mi>EFGH</mi>", "ABCD:EFGH"),
        ("<mi>abc</mi><mtext> def ghi</mtext>", "abc def ghi"),
        ("<mi>a</mi><mo>&lt;</mo><mi>m</mi><mo>&gt;</mo><mi>b</mi>", "a<m>b"),
        ("<mtext>costs $5</mtext>", r"\text{costs \$5}"),
        ("<mi>p</mi><mo>&amp;</mo><mi>q</mi><mo>;</mo>", r"p\& q;"),
    ],
)
def test_what_looks_like_words_or_markup_but_is_the_source(mathml: str, latex: str) -> None:
    assert accepted(latex, mathml).check == "verified"


@pytest.mark.parametrize(
    ("latex", "note"),
    [
        ("x^3", "source has 2, answer has 3"),
        ("x^2+1", "source has x^{2}(end), answer has x^{2}+1"),
        ("x_2", "source has x^{2}, answer has x_{2}"),
        ("y^2", "source has x^{2}, answer has y^{2}"),
        (r"\quad", "source has x^{2}, answer has (end)"),
    ],
)
def test_review_says_where_it_differs(latex: str, note: str) -> None:
    assert accepted(latex) == Accepted(result=latex, check="review", notes=(note,))


@pytest.mark.parametrize(
    ("mathml", "latex", "note"),
    [
        (None, "x^2", ""),
        ("<apply><plus/></apply>", "x^2", "<apply> is not presentation MathML"),
        ("<math><mi>x", "x^2", "not well-formed"),
        (X2, r"\rule{1pt}{2pt}x^2", r'Unknown command "\rule"'),
        (X2, r"\text{a x_2 b}", "Not valid in text mode"),
    ],
)
def test_unchecked_says_why(mathml: str | None, latex: str, note: str) -> None:
    found = accepted(latex, mathml)
    assert (found.result, found.check) == (latex, "unchecked")
    assert note in "".join(found.notes)


def test_without_a_source_field_nothing_is_verified() -> None:
    item = Item(seq=1, chunk=1, id=1, fields={"mathml": X2})
    assert LatexCheck()(item, "x^2") == Accepted(result="x^2", check="unchecked")


@pytest.mark.parametrize(
    "answer",
    [
        "{" * 100_000 + "}" * 100_000,
        r"\sqrt" * 50_000 + "x",
        r"\left(" * 50_000,
        "(" * 50_000,
        "x^" * 50_000,
        r"\text{" * 50_000,
        "$" * 50_000,
        "`" * 50_000,
        "<" * 50_000,
        "&a" * 50_000,
        "ab " * 50_000,
        "a" * 100_000,
        "가" + " " * 100_000 + "b",
        r"\begin{matrix}" * 5_000 + r"\end{matrix}" * 5_000,
        r"\frac1" * 50_000,
    ],
    ids=lambda answer: answer[:8],
)
@pytest.mark.timeout(10)
def test_endless_answers_neither_crash_nor_stall(answer: str) -> None:
    found = verdict(answer)
    assert isinstance(found, Invalid) or found.check != "verified"


@pytest.mark.parametrize("part", ["(", r"\{", r"\langle ", "{(}", "()(", r"\bigl|", "⟨", "(1+"])
def test_brackets_without_an_end_are_refused(part: str) -> None:
    """Each doubles the time of math-core: forty would hold everything up till tomorrow."""
    assert "brackets are opened and never closed" in problem(part * 40)
    assert "brackets" not in problem(part * 40 + ")" * 40 + "}")


def test_nothing_that_mathlive_draws_stalls_however_often_it_stands() -> None:
    marks = [chr(mark) for mark in range(33, 0x3000) if unicodedata.category(chr(mark))[0] in "PS"]
    for part in (*(f"\\{name} " for name in commands()), *marks):
        verdict(part * 40)


@pytest.mark.parametrize("part", ["[0, 1)", "]0, 1[", r"\left\{ a \right. ", r"(a] \\\\ "])
def test_brackets_of_any_kind_close_each_other(part: str) -> None:
    found = verdict(part * 30)
    assert isinstance(found, Accepted) or "brackets" not in found.problem


def test_an_answer_too_long_for_math_core_is_kept_but_not_verified() -> None:
    found = accepted("x^2+" * 700 + "y")
    assert (found.check, found.notes) == ("unchecked", ("not compared: too long to be checked",))


@pytest.mark.parametrize("part", [r"\left(", r"\hat{", r"\sqrt", "{", "x^{"])
def test_the_longest_that_is_read_fits_into_a_small_stack(part: str) -> None:
    answer = part * (600 // len(re.findall(r"[\\{^_]", part)))
    found: list[Accepted | Invalid] = []
    default = threading.stack_size(1024 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(verdict(answer)))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(default)
    assert isinstance(found[0], Invalid)


@given(st.text(max_size=40) | st.text(alphabet="\\{}^_&$`<>% frac", max_size=60))
def test_any_answer_has_a_verdict(answer: str) -> None:
    found = verdict(answer)
    if isinstance(found, Accepted):
        assert found.result.strip()
    else:
        assert found.problem


@given(
    st.sampled_from(["x^2", r"\ldots", r"\frac{1}{2}", r"\text{a b}"]), st.text(" \n\t", max_size=3)
)
def test_what_was_mended_once_needs_no_mending(latex: str, space: str) -> None:
    once = accepted(f"{space}$${space}{latex}{space}$${space}")
    again = accepted(once.result)
    assert (again.result, again.check) == (once.result, once.check)
