"""Answers by rule: labels, personas, plain text."""

import re

from processor.sandbox.seeded import draw, pick

_PERSONA = re.compile(r"페르소나\s*:(.*)")

_OPENINGS = (
    "글쎄요, 그 질문에는 바로 답하기가 조심스럽습니다.",
    "솔직하게 말씀드릴게요.",
    "그 이야기라면 할 말이 많습니다.",
    "잠깐 생각해 보겠습니다.",
    "저한테는 꽤 중요한 문제예요.",
)
_MIDDLES = (
    "며칠 전부터 잠을 제대로 자지 못했고 머리가 무겁습니다.",
    "요즘은 작은 일에도 쉽게 지치는 편이에요.",
    "예전에는 괜찮았는데 최근 들어 자주 불편해졌어요.",
    "사실 주변 사람들은 대수롭지 않게 여기지만 저는 신경이 쓰입니다.",
    "가끔은 아무렇지 않다가도 갑자기 심해질 때가 있습니다.",
)
_ENDINGS = (
    "그래서 더 자세히 알아보고 싶습니다.",
    "어떻게 하면 좋을지 알려 주시면 좋겠어요.",
    "이 정도면 충분히 말씀드린 것 같네요.",
    "빨리 나아졌으면 하는 마음뿐입니다.",
)


def label(seed: int, context: str) -> str:
    """One of the digits 0, 1 and 2."""
    return pick("012", seed, "label", context)


def persona(seed: int, context: str, asked_before: int) -> str:
    """Three Korean sentences: the first and the last are a persona's own, whatever it is asked.

    Between them is what the question makes it say, which may be another each time it is asked.
    """
    voice = _PERSONA.findall(context)[-1].strip()
    return " ".join(
        (
            pick(_OPENINGS, seed, "persona", "opening", voice),
            pick(_MIDDLES, seed, "persona", "middle", context, asked_before),
            pick(_ENDINGS, seed, "persona", "ending", voice),
        )
    )


def text(seed: int, context: str, question: str) -> str:
    """A sentence that quotes the beginning of the question."""
    quoted = " ".join(question.split())[:60]
    mark = int(draw(seed, "text", context) * 0xFFFF)
    return f"This is the sandbox's answer {mark:04x} to: {quoted}"
