"""What the sandbox answers to a question."""

from collections.abc import Mapping
from typing import Any

import orjson

from processor.sandbox.answers import rules
from processor.sandbox.answers.instance import Instance
from processor.sandbox.answers.question import Question
from processor.sandbox.answers.wrong import hits, wrong_answer, wrong_json
from processor.sandbox.config import SandboxConfig
from processor.sandbox.pandoc import Converter


async def answer(
    question: Question,
    asked_before: int,
    config: SandboxConfig,
    converter: Converter,
    *,
    json_mode: bool,
    schema: Mapping[str, Any] | None = None,
) -> str:
    """The answer: a function of the seed, the question and how often it was answered before.

    Raises:
        ConverterError: It needs pandoc, which is missing or failed.
    """
    if schema is not None:
        return _structured(question, asked_before, config, schema)
    right = await _right(question, asked_before, config.seed, converter)
    if is_spoiled(question.key, asked_before, config):
        return wrong_answer(
            question.kind, right, question.mathml, config.seed, question.key, asked_before
        )
    return orjson.dumps({"answer": right}).decode() if json_mode else right


def _structured(
    question: Question, asked_before: int, config: SandboxConfig, schema: Mapping[str, Any]
) -> str:
    if is_spoiled(question.key, asked_before, config):
        return wrong_json(config.seed, question.key, asked_before)
    return orjson.dumps(Instance(schema, config.seed, question.context).value()).decode()


async def _right(question: Question, asked_before: int, seed: int, converter: Converter) -> str:
    match question.kind:
        case "mathml":
            return await converter.convert(question.mathml)
        case "label":
            return rules.label(seed, question.context)
        case "persona":
            return rules.persona(seed, question.context, asked_before)
        case "text":
            return rules.text(seed, question.context, question.text)


def is_spoiled(key: str, asked_before: int, config: SandboxConfig) -> bool:
    """Whether the answer is to be wrong: as often as the configuration says."""
    if hits(config.stubborn, config.seed, "stubborn", key):
        return True
    return asked_before == 0 and hits(config.bad_answers, config.seed, "bad", key)
