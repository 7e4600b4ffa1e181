from collections.abc import Sequence
from itertools import chain, repeat
from random import Random

import pytest
from hypothesis import given, strategies as st

from processor.quality import agreement
from processor.quality.figure import Figure, share

LABELS = st.sampled_from(["0", "1", "2", None])
PAIRS = st.lists(st.tuples(LABELS, LABELS), max_size=60)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [  # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(
    count: int, of: int, low: float, high: float
) -> None:
    found = share(count, of)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)
    assert found.n == of


def test_a_share_of_nothing_has_no_value() -> None:
    assert share(0, 0) == Figure(value=None, n=0, note="no cases")


@given(st.integers(1, 10**7).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_within_its_interval(counts: tuple[int, int]) -> None:
    count, of = counts
    found, mirrored = share(count, of), share(of - count, of)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)


def labels_of(counts: Sequence[Sequence[int]]) -> tuple[list[str], list[str]]:
    """Two labellings whose confusion matrix is the one given."""
    pairs = list(
        chain.from_iterable(
            repeat((str(row), str(column)), count)
            for row, line in enumerate(counts)
            for column, count in enumerate(line)
        )
    )
    return [one for one, _ in pairs], [other for _, other in pairs]


@pytest.mark.parametrize(
    ("counts", "kappa", "standard_error"),
    [
        # Agresti, Categorical Data Analysis (1990), p. 367: husbands and wives.
        (((7, 7, 2, 3), (2, 8, 3, 7), (1, 5, 4, 9), (2, 8, 9, 14)), 0.1293, 0.0686),
        # By hand: 0.7 observed, 0.5 by chance; sqrt((.02743 + .02547 - .0025) / 50) / .5 ** 2.
        (((20, 5), (10, 15)), 0.4, 0.1270),
    ],
)
def test_cohens_kappa_is_the_published_one(
    counts: Sequence[Sequence[int]], kappa: float, standard_error: float
) -> None:
    found = agreement.compare(*labels_of(counts)).kappa
    assert found.value == pytest.approx(kappa, abs=5e-5)
    assert found.high is not None
    assert found.low is not None
    assert (found.high - found.low) / (2 * 1.959964) == pytest.approx(standard_error, abs=5e-5)


def test_complete_agreement_is_not_certain() -> None:
    found = agreement.compare(["0", "1"] * 10, ["0", "1"] * 10)
    assert found.accuracy.value == 1
    assert found.kappa.value == 1
    # Wilson's lower end of 20 of 20 is 0.8389; half of it is chance.
    assert found.kappa.low == pytest.approx(2 * 0.8389 - 1, abs=1e-4)


def test_kappa_is_not_told_where_it_means_nothing() -> None:
    same = agreement.compare(["1"] * 20, ["1"] * 20).kappa
    assert (same.value, same.note) == (None, "both have the same one label everywhere")
    few = agreement.compare(["0", "1"], ["0", "1"]).kappa
    assert (few.value, few.note) == (None, "too few pairs: 2, at least 10 needed")


def test_one_label_against_another_everywhere_is_chance() -> None:
    for second in (["1"] * 20, ["0", "1"] * 10):
        found = agreement.compare(["0"] * 20, second).kappa
        assert (found.value, found.low) == (0, None)
        assert found.note == "one of both has the same label everywhere"


def test_what_has_no_label_is_counted_apart() -> None:
    found = agreement.compare(["0", None, "1", None, "2"], ["0", "1", None, None, "1"])
    assert (found.pairs, found.only_first, found.only_second, found.neither) == (2, 1, 1, 1)
    assert found.accuracy.value == 0.5


def test_the_confusion_matrix_names_labels_in_their_order() -> None:
    found = agreement.compare(
        ["2", "0", "x"], ["0", "0", "2"], {"2": "비판 (Oppose)", "0": "옹호 (Support)"}
    ).confusion
    assert found.labels == ("2", "0", "x")
    assert found.names == ("비판 (Oppose)", "옹호 (Support)", "x")
    assert found.counts == ((0, 1, 0), (0, 1, 0), (1, 0, 0))


def test_labellings_of_other_items_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        agreement.compare(["0"], ["0", "1"])


@given(PAIRS, st.randoms(use_true_random=False))
def test_agreement_knows_no_order_and_no_sides(
    pairs: list[tuple[str | None, str | None]], chance: Random
) -> None:
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    found = agreement.compare(first, second)
    turned = agreement.compare(second, first)
    assert turned.accuracy == found.accuracy
    assert turned.kappa.value == pytest.approx(found.kappa.value)
    assert turned.kappa.low == pytest.approx(found.kappa.low)
    assert turned.confusion.counts == tuple(zip(*found.confusion.counts, strict=True))
    shuffled = list(pairs)
    chance.shuffle(shuffled)
    assert agreement.compare([one for one, _ in shuffled], [two for _, two in shuffled]) == found
    assert found.pairs + found.only_first + found.only_second + found.neither == len(pairs)


@given(PAIRS)
def test_kappa_lies_within_its_interval(pairs: list[tuple[str | None, str | None]]) -> None:
    found = agreement.compare([one for one, _ in pairs], [other for _, other in pairs]).kappa
    if found.value is None:
        assert found.note
        return
    if found.low is None or found.high is None:
        assert found.note
        return
    assert -1 - 1e-9 <= found.low <= found.value + 1e-9
    assert found.value <= found.high + 1e-9 <= 1 + 2e-9
