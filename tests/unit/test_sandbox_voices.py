"""Personas of the sandbox: their answers differ by who speaks, what is asked, and how often."""

from processor.sandbox.answers.rules import persona

ASKED = "user\x1f질문: {question}\n페르소나: {who}"


def said(who: str, question: str, *, before: int = 0) -> list[str]:
    """The sentences of an answer."""
    answer = persona(0, ASKED.format(question=question, who=who), before)
    return [f"{sentence}." for sentence in answer.removesuffix(".").split(". ")]


def test_a_persona_begins_and_ends_alike_whatever_it_is_asked() -> None:
    answers = [said("폭발적인, 비논리적인", f"질문 {number}?") for number in range(20)]
    assert len({(answer[0], answer[-1]) for answer in answers}) == 1
    assert len({answer[1] for answer in answers}) > 1


def test_personas_speak_differently() -> None:
    answers = [said(f"사람 {number}", "어디가 불편한가요?") for number in range(25)]
    assert len({(answer[0], answer[-1]) for answer in answers}) > 8


def test_asked_again_it_says_the_same_in_other_words() -> None:
    answers = [said("폭발적인", "왜?", before=before) for before in range(20)]
    assert len({(answer[0], answer[-1]) for answer in answers}) == 1
    assert len({answer[1] for answer in answers}) > 1
    assert said("폭발적인", "왜?", before=3) == answers[3]
