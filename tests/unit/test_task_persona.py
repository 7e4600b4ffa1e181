"""What the shipped task `persona` says of a patient."""

from typing import Any

import pytest

from processor.items import Item
from processor.tasks.toml import load_task


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("34세", "34세"),
        (34, "34"),
        ({"나이": 34, "성별": "여"}, "나이 34, 성별 여"),
        (["불면", "두통"], "불면, 두통"),
        ([{"이름": "불면", "기간": "2주"}, "두통"], "이름 불면, 기간 2주, 두통"),
        ({"가족": ["모", "부"], "약": None}, "가족 모, 부, 약 -"),
        ("", None),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_patient_and_symptoms_are_told_in_words(value: Any, told: str | None) -> None:
    fields = {"질문": "q", "페르소나": "p", "patient": value, "symptoms": value}
    request = load_task("persona").render(Item(seq=1, chunk=1, id=1, fields=fields))
    said = request.body["messages"][-1]["content"].splitlines()
    more = [] if told is None else [f"환자 정보: {told}", f"증상: {told}"]
    assert said == ["질문: q", "페르소나: p", *more]
