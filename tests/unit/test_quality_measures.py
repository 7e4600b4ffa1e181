"""What is measured on answers: by published examples, by hand, and by what must always hold."""

from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from processor.quality import bootstrap, consistency, diversity, grams, likeness, separation
from processor.quality.against import alike
from processor.quality.design import Design, Said
from processor.quality.labels import Given, keys_of
from processor.quality.lengths import Ruler
from processor.quality.sample import Sample
from processor.quality.several import of_sets

TEXTS = st.lists(st.text("가나다 ab", max_size=12), min_size=2, max_size=12)
# Fleiss' kappa, as its article in the English Wikipedia works it out: ten subjects, fourteen
# raters, five categories; 0.210.
RATINGS = (
    (0, 0, 0, 0, 14),
    (0, 2, 6, 4, 2),
    (0, 0, 3, 5, 6),
    (0, 3, 9, 2, 0),
    (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0),
    (3, 2, 6, 3, 0),
    (2, 5, 3, 2, 2),
    (6, 5, 2, 1, 0),
    (0, 2, 2, 3, 7),
)


def rated(ratings: Sequence[Sequence[int]]) -> list[list[str]]:
    return [
        [str(label) for label, count in enumerate(counts) for _ in range(count)]
        for counts in ratings
    ]


def test_fleiss_kappa_is_the_published_one() -> None:
    found = consistency.measure(rated(RATINGS), labels=True, seed=0)
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(0.210, abs=5e-4)
    assert found.equal.value == pytest.approx(0.378, abs=5e-4)
    assert found.unanimous.value == 0.1
    assert found.kappa.low is not None
    assert found.kappa.high is not None
    assert found.kappa.low < 0.210 < found.kappa.high


def test_kappa_is_not_told_of_few_inputs_or_one_label() -> None:
    few = consistency.fleiss_kappa([["0", "1"]] * 9, seed=0)
    assert (few.value, few.note) == (None, "too few inputs: 9, at least 10 needed")
    same = consistency.fleiss_kappa([["0", "0"]] * 10, seed=0)
    assert (same.value, same.note) == (None, "all answers are the same one label")


def test_inputs_asked_once_say_nothing() -> None:
    found = consistency.measure([["a"], ["b"], ["c", "c", "d"]], labels=True, seed=0)
    assert (found.inputs, found.answers) == (1, 3)
    assert found.equal.value == pytest.approx(1 / 3)  # of three pairs one
    assert found.equal.note == "too few inputs for an interval: 1, at least 5 needed"


def test_texts_of_one_input_are_nearer_than_those_of_two() -> None:
    inputs = [
        [f"{word} 하나 둘 셋", f"{word} 하나 둘 넷"] for word in ("가나다", "라마바", "사아자")
    ]
    found = consistency.measure(inputs, labels=False, seed=0)
    assert found.equal.value == 0
    assert found.kappa is None
    assert found.similarity is not None
    assert found.unrelated is not None
    assert found.similarity.value is not None
    assert found.unrelated.value is not None
    assert 0 < found.unrelated.value < found.similarity.value < 1


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("xyz"), min_size=1, max_size=5), max_size=20))
def test_consistency_is_a_share(inputs: list[list[str]]) -> None:
    for labels in (True, False):
        found = consistency.measure(inputs, labels=labels, seed=1)
        for figure in (found.equal, found.unanimous, found.similarity, found.unrelated):
            if figure is not None and figure.value is not None:
                assert -1e-9 <= figure.value <= 1 + 1e-9
        assert found.unanimous.n == found.inputs == sum(len(one) > 1 for one in inputs)


def test_the_bootstrap_covers_as_often_as_it_says() -> None:
    """Of means of forty throws: about 95 in a hundred intervals hold the truth."""
    chance = Random(7)
    held = 0
    for turn in range(200):
        parts = [(chance.random(), 1) for _ in range(40)]
        found = bootstrap.mean(parts, seed=turn, called="throws")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.5 <= found.high
    assert 0.89 <= held / 200 <= 0.985


@pytest.mark.parametrize("grouped", [1, 4])
def test_the_interval_of_a_mean_over_pairs_is_no_narrower_than_it_must_be(grouped: int) -> None:
    """Pairs of throws that are the same: drawn as if they were its own, 7 in 10 would hold."""
    chance = Random(11)
    held = 0
    for turn in range(150):
        throws = [[chance.choice("aaab") for _ in range(grouped)] for _ in range(40)]
        seen = Counter(throw for some in throws for throw in some)
        parts, across = [], []
        for some in throws:
            own = Counter(some)
            shared = sum(seen[throw] - own[throw] for throw in some)
            inside = sum(own[throw] - 1 for throw in some)
            across.append((float(shared), grouped * (40 - 1) * grouped))
            parts.append((float(shared + inside), across[-1][1] + grouped * (grouped - 1)))
        found = bootstrap.mean_of_pairs(parts, across, seed=turn, called="throws")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 10 / 16 <= found.high
        assert found.value == pytest.approx(bootstrap.mean(parts, seed=0, called="throws").value)
    assert 0.89 <= held / 150 <= 0.985


def test_an_interval_repeats_and_is_not_made_up() -> None:
    parts = [(value / 10, 1) for value in range(10)]
    again = [bootstrap.mean(parts, seed=3, called="items") for _ in range(2)]
    assert again[0] == again[1]
    assert bootstrap.mean([(1.0, 1)] * 9, seed=3, called="items").note == (
        "all items are alike: no interval"
    )
    assert bootstrap.mean([(0.0, 0)], seed=3, called="items").value is None


def test_weights_are_those_of_the_known_formula() -> None:
    """By hand: of `abc` in both texts the weight is 1, of `bcd` in one ln(3/2) + 1."""
    one, other = likeness.vectors(["ABC", "abcd"])
    rare = log(3 / 2) + 1
    assert likeness.dot(one, other) == pytest.approx(1 / sqrt(1 + rare**2))


@pytest.mark.parametrize(
    ("one", "other", "cosine"),
    [
        ("잠을 못 잡니다.", "잠을  못\n잡니다.", 1.0),
        ("각하", "각하", 1.0),  # composed or not
        ("", " ", 1.0),
        ("가나다라", "마바사아", 0.0),
    ],
)
def test_what_counts_as_alike(one: str, other: str, cosine: float) -> None:
    assert likeness.dot(*likeness.vectors([one, other])) == pytest.approx(cosine)


@settings(deadline=None)
@given(TEXTS)
def test_similarity_is_symmetric_bounded_and_its_mean_that_of_all_pairs(texts: list[str]) -> None:
    vectors = likeness.vectors(texts)
    cosines = likeness.cosines(vectors)
    for place, row in enumerate(cosines):
        for other, cosine in enumerate(row):
            assert cosine == cosines[other][place]
            assert 0 <= cosine <= 1
            assert cosine == pytest.approx(likeness.dot(vectors[place], vectors[other]))
    means = [(sum(row) - 1) / (len(texts) - 1) for row in cosines]
    assert likeness.to_others(vectors) == pytest.approx(means, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "length", "words", "characters"),
    [
        ("a b a b", 1, 2 / 4, 2 / 4),
        ("a b a b", 2, 2 / 3, 2 / 3),
        ("나는 나는 간다", 1, 2 / 3, 4 / 6),
        ("나는 나는 간다", 3, 1.0, 1.0),
        ("하나", 2, None, 1.0),
    ],
)
def test_distinct_runs(text: str, length: int, words: float | None, characters: float) -> None:
    assert grams.distinct([grams.words(text)], length).value == words
    assert grams.distinct([grams.characters(text)], length).value == characters


def test_no_run_spans_two_texts() -> None:
    assert grams.distinct([["a"], ["b"]], 2).note == "no text is long enough"


@settings(deadline=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_diversity_knows_no_order(texts: list[str], chance: Random) -> None:
    found = diversity.measure(texts, seed=0)
    shuffled = list(texts)
    chance.shuffle(shuffled)
    assert diversity.measure(shuffled, seed=0) == found
    for figure in (found.unique, *found.distinct_words, *found.distinct_characters):
        assert figure.value is None or 0 <= figure.value <= 1


def test_lengths_are_of_characters_as_people_count_them() -> None:
    ruler = Ruler()
    for text in (" ", "각", *("가" * n for n in range(1, 100))):
        ruler.add(text)
    found = ruler.lengths()
    assert (found.texts, found.least, found.p50, found.p95, found.most) == (101, 1, 49, 94, 99)
    assert found.empty.value == 1 / 101


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 99)), unique=True, max_size=60),
    st.integers(1, 20),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_a_sample_is_bounded_and_knows_no_order(
    offers: list[tuple[str, int]], most: int, most_of_block: int, chance: Random
) -> None:
    drawn = []
    for _ in range(2):
        sample = Sample[int](most=max(most, most_of_block), most_of_block=most_of_block, seed=4)
        for block, number in offers:
            sample.add(block, f"{block}{number}", number)
        assert sample.seen == len(offers)
        assert sample.kept == sum(map(len, sample.blocks().values())) <= max(most, most_of_block)
        assert all(len(some) <= most_of_block for some in sample.blocks().values())
        drawn.append(sample.blocks())
        chance.shuffle(offers)
    assert drawn[0] == drawn[1]
    assert drawn[0] or not offers


def test_another_seed_draws_others() -> None:
    drawn = []
    for seed in (0, 1):
        sample = Sample[int](most=50, most_of_block=1, seed=seed)
        for number in range(1_000):
            sample.add(str(number), str(number), number)
        drawn.append({number for some in sample.blocks().values() for number in some})
    assert len(drawn[0]) == len(drawn[1]) == 50
    assert len(drawn[0] & drawn[1]) < 20


WORDS = [
    f"{first}{second}" for first in "가나다라마바사아자차" for second in "카타파하고노도로모보"
]


def spoken(
    *, groups: int, questions: int, times: int = 1, own: float, asked: float = 0.3
) -> list[Said]:
    """Answers of which a share of the words is the group's own, another the question's."""
    chance = Random(11)
    of_group = [chance.sample(WORDS, 12) for _ in range(groups)]
    of_question = [chance.sample(WORDS, 12) for _ in range(questions)]

    def word(group: int, question: int) -> str:
        drawn = chance.random()
        if drawn < own:
            return chance.choice(of_group[group])
        return chance.choice(of_question[question] if drawn < own + asked else WORDS)

    return [
        Said(
            f"사람 {group}",
            f"사람 {group}",
            f"질문 {question}",
            " ".join(word(group, question) for _ in range(20)),
        )
        for group in range(groups)
        for question in range(questions)
        for _ in range(times)
    ]


def test_groups_with_a_voice_are_told_apart() -> None:
    found = separation.measure(spoken(groups=6, questions=6, own=0.4), seed=0)
    assert (found.groups, found.questions, found.answers) == (6, 6, 36)
    assert found.is_shown is True
    assert found.recognised.value is not None
    assert found.recognised.value > 0.8
    assert found.chance.value == pytest.approx(1 / 6, abs=0.05)
    assert found.same_group_same_question.note == "no cases"
    assert found.same_group_other_question.n == 6 * 15
    assert found.other_group_same_question.n == 6 * 15
    assert found.other_group_other_question.n == 36 * 35 // 2 - 2 * 6 * 15
    assert {figure.n for figure in found.by_group.values()} == {6}


@pytest.mark.parametrize(("questions", "times"), [(6, 1), (1, 6), (3, 2)])
def test_groups_that_differ_in_nothing_are_not_told_apart(questions: int, times: int) -> None:
    """Though what is asked is plain to see in every answer."""
    said = spoken(groups=6, questions=questions, times=times, own=0.0, asked=0.9)
    found = separation.measure(said, seed=0)
    assert found.is_shown is False
    assert found.recognised.value is not None
    assert found.recognised.value < 0.4


def test_answers_to_one_question_are_told_apart_by_others_to_it() -> None:
    found = separation.measure(spoken(groups=4, questions=1, times=8, own=0.5), seed=0)
    assert found.is_shown is True
    assert found.same_group_other_question.note == "no cases"


def test_of_very_many_groups_the_largest_are_looked_at() -> None:
    said = [
        Said(f"{n:03}", f"{n:03}", str(turn), f"{n} {turn}")
        for n in range(150)
        for turn in range(1 + n % 2)
    ]
    found = separation.measure(said, seed=0)
    assert (found.groups, found.of_groups) == (100, 150)
    assert found.answers == 75 * 2 + 25
    assert set(found.by_group) <= {f"{n:03}" for n in range(150) if n % 2}


def test_of_many_long_texts_the_beginnings_are_compared() -> None:
    """So that the work is bounded: a thousand texts of two thousand characters took minutes."""
    assert [separation.looked_at(count) for count in (2, 275, 1_000)] == [2_000, 1_090, 300]
    ends = [
        Said(f"{n % 2}", f"{n % 2}", f"{n // 2}", "같은 말 " * 60 + f"{n % 2}" * 50)
        for n in range(1_000)
    ]
    assert separation.measure(ends, seed=0).is_shown is False
    assert separation.measure(ends[:200], seed=0).is_shown is True


def test_chance_is_beaten_by_chance_as_often_as_it_says() -> None:
    """Of groups without a difference one in twenty has a p-value of 0.05 or less."""
    chance, shown = Random(3), 0
    for _ in range(60):
        said = [
            Said(str(group), str(group), str(question), " ".join(chance.choices(WORDS[:40], k=5)))
            for group in range(3)
            for question in range(4)
        ]
        shown += separation.measure(said, seed=0).is_shown is True
    assert shown <= 9  # as likely as once in a thousand times


def as_tempers(said: Sequence[Said], tempers: int) -> list[Said]:
    """The same answers, their speakers put into so many groups by turns."""
    names = sorted({one.speaker for one in said})
    return [
        Said(f"기질 {names.index(one.speaker) % tempers}", one.speaker, one.question, one.text)
        for one in said
    ]


@pytest.mark.parametrize(("questions", "times"), [(5, 1), (1, 4)])
def test_speakers_with_a_voice_do_not_make_their_groups_differ(questions: int, times: int) -> None:
    """Each is recognised with ease by its own answers; of its group these say nothing."""
    said = spoken(groups=12, questions=questions, times=times, own=0.5)
    assert separation.measure(said, seed=0).is_shown is True
    found = separation.measure(as_tempers(said, 3), seed=0)
    assert (found.groups, found.speakers) == (3, 12)
    assert found.is_shown is False
    assert found.recognised.value is not None
    assert found.recognised.value < 0.6


@pytest.mark.parametrize("questions", [1, 5])
def test_a_voice_that_speakers_share_makes_their_groups_differ(questions: int) -> None:
    said = [
        Said(one.group, f"{one.group}, {number % 4}", one.question, one.text)
        for number, one in enumerate(spoken(groups=3, questions=questions, times=4, own=0.4))
    ]
    found = separation.measure(said, seed=0)
    assert (found.groups, found.speakers) == (3, 12)
    assert found.is_shown is True
    assert found.same_group_same_question.n == questions * 3 * 6


def test_a_speaker_of_several_groups_is_none_of_theirs() -> None:
    said = [Said(group, "한 사람", "왜?", f"{group} {n}") for group in "가나" for n in range(4)]
    assert separation.measure(said, seed=0).speakers is None


def test_shuffles_keep_what_belongs_together() -> None:
    said = spoken(groups=6, questions=3, own=0.5)
    by_speaker, by_question = Design(as_tempers(said, 2)), Design(said)
    chance = Random(5)
    for _ in range(20):
        groups = by_speaker.shuffled(chance)
        pairs = {(one.speaker, group) for one, group in zip(by_speaker.said, groups, strict=True)}
        assert len(pairs) == 6
        assert sorted(groups) == sorted(by_speaker.groups)
        groups = by_question.shuffled(chance)
        for question in ("질문 0", "질문 1", "질문 2"):
            own = [g for g, q in zip(groups, by_question.parts, strict=True) if q == question]
            assert len(set(own)) == 6


def test_one_answer_of_each_group_tells_nothing() -> None:
    found = separation.measure(spoken(groups=3, questions=1, own=0.5), seed=0)
    assert (found.recognised.value, found.is_shown, found.p_value) == (None, None, None)
    assert "too few answers" in found.recognised.note


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            Said,
            st.sampled_from("PQR"),
            st.sampled_from("stuvw"),
            st.sampled_from("12"),
            st.text("가나다 ", max_size=6),
        ),
        max_size=14,
    ),
    st.randoms(use_true_random=False),
)
def test_separation_is_bounded_and_knows_no_order(said: list[Said], chance: Random) -> None:
    found = separation.measure(said, seed=0)
    shuffled = list(said)
    chance.shuffle(shuffled)
    assert separation.measure(shuffled, seed=0) == found
    for figure in (
        *(found.same_group_same_question, found.other_group_same_question, found.recognised),
        *(found.same_group_other_question, found.other_group_other_question, found.chance),
    ):
        assert figure.value is None or -1e-9 <= figure.value <= 1 + 1e-9
    assert found.p_value is None or 0 < found.p_value <= 1


def test_texts_of_two_runs_are_compared_with_those_of_other_items() -> None:
    pairs = [(f"{word} 그렇습니다", f"{word} 그래요") for word in WORDS[::9]]
    found = alike(pairs, seed=0)
    assert found.drawn == len(pairs)
    assert found.similarity.value is not None
    assert found.unrelated.value is not None
    assert found.unrelated.value < found.similarity.value < 1
    assert (
        alike(pairs[:1], seed=0).similarity.note == "too few pairs of texts: 1, at least 2 needed"
    )


LABELS = {"0": "옹호 (Support)", "1": "중립 (Neutral)", "2": "비판 (Oppose)"}


@pytest.mark.parametrize(
    ("cell", "several", "result"),
    [
        ("1", False, "1"),
        (" 중립 ", False, "1"),
        ("oppose", False, "2"),
        ("1.0", False, "1"),  # of a spreadsheet
        ("모름", False, "모름"),
        ("  ", False, None),
        (None, False, None),
        ("2, 0", True, '["0","2"]'),
        ('["2"]', True, '["2"]'),
        ("비판; 중립", True, '["1","2"]'),
        ("0,9", True, "0,9"),
    ],
)
def test_right_labels_are_read_as_people_write_them(
    cell: str | None, several: bool, result: str | None
) -> None:
    assert Given(LABELS).result(cell, several=several) == result


@pytest.mark.parametrize(
    ("result", "several", "keys"),
    [
        ("1", False, ["1"]),
        ("[0]", False, ["[0]"]),
        ('["0","2"]', True, ["0", "2"]),
        ("[0", True, ["[0"]),
        ("0,9", True, ["0,9"]),
    ],
)
def test_the_keys_of_a_result(result: str, several: bool, keys: list[str]) -> None:
    assert keys_of(result, several=several) == keys


def test_sets_of_labels_agree_label_by_label() -> None:
    first = ['["0"]', '["0","1"]', '["1"]', None] * 6
    second = ['["0"]', '["0"]', '["0","1"]', '["1"]'] * 6
    found = of_sets(Counter(zip(first, second, strict=True)), LABELS)
    assert (found.pairs, found.only_second) == (18, 6)
    assert found.accuracy.value == pytest.approx(1 / 3)  # of whole sets
    assert found.kappa.note == "several labels: see that of each label"
    # By hand, of three: label 0 twice equal, label 1 once, label 2 nowhere given.
    assert [own.accuracy.value for own in found.by_label.values()] == pytest.approx(
        [2 / 3, 2 / 3, 1]
    )
    assert found.by_label["1"].kappa.value == pytest.approx(0.4)
    assert found.by_label["2"].kappa.note == "both have the same one label everywhere"
