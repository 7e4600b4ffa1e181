"""Responses and embeddings end to end: the lane, then whole runs, over a real socket."""

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lane_bench import CHOOSE, GREET, bench, items
from msgspec.structs import replace
from npy import read_npy
from run_bench import Folder

from processor.direct.retry import RetryPolicy
from processor.direct.rules import LaneRules
from processor.items import Usage
from processor.sandbox_process import sandbox

RESPOND = 'endpoint = "/v1/responses"\n' + GREET
RESPOND_LABEL = 'endpoint = "/v1/responses"\n' + CHOOSE
EMBED = """\
name = "embed"
model = "text-embedding-3-small"
prompt = "Say {{ word }}."
parameters = { dimensions = 16 }
[output]
kind = "embedding"
"""


@pytest.mark.parametrize(
    ("fault", "code", "attempts"),
    [
        ("length", "truncated", 1),
        ("content_filter", "filtered", 1),
        ("refusal:message=I would rather not.", "refused", 1),
        ("tool_call", "invalid", 1),
        ("no_choices", "malformed", 3),
        ("failed", "server_error", 3),
        ("failed:code=invalid_prompt", "policy", 1),
        ("failed:code=of a new kind", "malformed", 3),
    ],
)
def test_a_response_that_is_none_fails_its_item_alone(fault: str, code: str, attempts: int) -> None:
    async def main() -> None:
        spec = fault + ("," if ":" in fault else ":") + "match=word3."
        rules = LaneRules(retry=RetryPolicy(attempts_max=3))
        async with bench(items(9), text=RESPOND, faults=[spec], rules=rules) as it:
            await it.run()
            assert it.codes == {seq: code if seq == 3 else "" for seq in range(1, 10)}
            outcome = it.outcomes[3]
            assert outcome.attempts == attempts
            assert outcome.usage is not None  # each says what it cost
            assert set((await it.api.stats())["by_route"]) == {"POST /v1/responses"}

    asyncio.run(main())


@pytest.mark.parametrize(
    "fault",
    [
        "rate_limit:times=1,match=word3.,retry-after=2",
        "failed:times=1,match=word3.,code=rate_limit_exceeded",
        "failed:times=1,match=word3.,code=vector_store_timeout",
        "reset:times=1,match=word3.",
        "truncated_json:times=1,match=word3.",
    ],
)
@pytest.mark.parametrize("text", [RESPOND, EMBED], ids=["responses", "embeddings"])
def test_what_passes_is_waited_out_on_every_endpoint(fault: str, text: str) -> None:
    async def main() -> None:
        async with bench(items(9), text=text, faults=[fault]) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            # A vector cannot fail on its way.
            again = 1 if text is EMBED and fault.startswith("failed") else 2
            assert it.outcomes[3].attempts == again

    asyncio.run(main())


def test_a_response_is_asked_again_with_what_was_wrong() -> None:
    """The sandbox is right at the second try, and knows it by the answers in the input."""

    async def main() -> None:
        async with bench(items(5), text=RESPOND_LABEL, bad_answers=1.0) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            assert {outcome.attempts for outcome in it.outcomes.values()} == {2}
            assert all(attempt.problem for attempt in it.attempts)
            stats = await it.api.stats()
            assert (stats["items"]["seen"], stats["paid"]) == (5, 10)

    asyncio.run(main())


def test_a_refused_parameter_of_a_response_stops_the_job() -> None:
    async def main() -> None:
        text = RESPOND.replace("[output]", "parameters = { temperature = 0 }\n[output]")
        async with bench(items(50), text=text) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == "refused_parameter"
            assert it.outcomes == {}
            stats = await it.api.stats()
            assert (stats["received"], stats["paid"]) == (2, 0)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (EMBED.replace("text-embedding-3-small", "gpt-6-luna"), "model_not_found"),
        (EMBED.replace("3-small", "ada-002"), "refused_parameter"),
        (EMBED.replace("= 16", "= 2000"), "refused_parameter"),
        (RESPOND.replace("gpt-6-luna", "text-embedding-3-small"), "model_not_found"),
        (GREET.replace("gpt-6-luna", "text-embedding-3-small"), "model_not_found"),
    ],
)
def test_a_model_that_cannot_do_it_stops_the_job_at_once(text: str, code: str) -> None:
    async def main() -> None:
        async with bench(items(50), text=text) as it:
            await it.run()
            assert it.lane.stopped is not None
            assert it.lane.stopped.code == code
            assert it.outcomes == {}
            assert (await it.api.stats())["received"] == 2

    asyncio.run(main())


def test_what_is_too_long_fails_its_row_alone() -> None:
    async def main() -> None:
        pending = items(5)
        long = replace(pending[2].item, fields={"word": "a" * 40_000})
        pending[2] = replace(pending[2], item=long)
        async with bench(pending, text=EMBED) as it:
            await it.run()
            assert it.codes == {seq: "context_length" if seq == 3 else "" for seq in range(1, 6)}

    asyncio.run(main())


def test_vectors_are_taken_whole() -> None:
    async def main() -> None:
        async with bench(items(9), text=EMBED) as it:
            await it.run()
            for outcome in it.outcomes.values():
                assert outcome.accepted is not None
                assert outcome.accepted.result == "16 float32"
                assert outcome.accepted.vector is not None
                assert len(outcome.accepted.vector) == 64
                assert outcome.usage == Usage(prompt_tokens=3, completion_tokens=0)

    asyncio.run(main())


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("nan", "infinite or none"),
        ("infinity", "infinite or none"),
        ("zeros", "are 0"),
        ("short", "8 numbers, but 16"),
        ("text", "not base64"),
        ("torn", "3 bytes"),
    ],
)
def test_a_bad_vector_is_asked_for_again_once(how: str, said: str, times: int) -> None:
    async def main() -> None:
        faults = [f"vector:how={how},match=word3.,times={times}"]
        async with bench(items(5), text=EMBED, faults=faults) as it:
            await it.run()
            code = "invalid" if times == 2 else ""
            assert it.codes == {seq: code if seq == 3 else "" for seq in range(1, 6)}
            (attempt,) = it.attempts
            assert said in str(attempt.problem)
            assert attempt.usage is not None
            assert it.outcomes[3].attempts == 2

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["no_choices", "vector:how=null"])
def test_an_answer_without_a_vector_is_malformed(fault: str) -> None:
    async def main() -> None:
        spec = fault + ("," if ":" in fault else ":") + "match=word3.,times=2"
        async with bench(items(5), text=EMBED, faults=[spec]) as it:
            await it.run()
            assert set(it.codes.values()) == {""}
            assert [attempt.code for attempt in it.attempts] == ["malformed"] * 2

    asyncio.run(main())


def test_a_server_that_knows_no_base64_is_understood() -> None:
    async def main() -> None:
        text = EMBED.replace("= 16", '= 16, encoding_format = "float"')
        async with bench(items(3), text=text) as it, bench(items(3), text=EMBED) as packed:
            await it.run()
            await packed.run()
            for seq, outcome in it.outcomes.items():
                assert outcome.accepted == packed.outcomes[seq].accepted

    asyncio.run(main())


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with sandbox(["--latency-ms", "20"]) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path, sandbox_url: str) -> Iterator[Folder]:
    made = Folder(tmp_path, sandbox_url)
    (tmp_path / "greet.toml").write_text(EMBED)
    made.admin("stats/reset", {})
    made.admin("faults", {"clear": True})
    yield made
    made.end()


def embeddings(folder: Folder) -> dict[int, tuple[float, ...]]:
    out = folder.path / "out"
    lines = (out / "embeddings_ids.jsonl").read_text().splitlines()
    rows = read_npy(out / "embeddings.npy")
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == sorted(set(ids))
    return dict(zip(ids, rows, strict=True))


def test_a_run_that_is_killed_goes_on_and_loses_no_vector(folder: Folder) -> None:
    folder.rows(400)
    process = folder.start("--concurrency", "10")
    folder.wait_for_answers(100)
    process.kill()
    process.communicate()
    paid = folder.admin("stats")["paid"]
    (kept,) = folder.ledger("SELECT COUNT(*) FROM vectors")[0]
    assert folder.ledger("SELECT COUNT(*) FROM outcomes") == [(kept,)]
    assert 0 < kept < 400
    assert folder.run()[0] == 0
    folder.assert_whole(400)
    found = embeddings(folder)
    assert list(found) == list(range(1, 401))
    assert len(set(found.values())) == 400
    assert all(math.isclose(math.hypot(*row), 1, rel_tol=1e-5) for row in found.values())
    results = (folder.path / "out" / "results.csv").read_text()
    assert results.count("16 float32") == 400
    # No vector that was kept is asked for again; those in flight may have been answered since.
    assert folder.admin("stats")["paid"] <= paid + 10 + 400 - kept
    assert folder.figures()["tokens"]["completion"] == 0


def test_a_run_goes_on_with_the_length_that_it_began_with(folder: Folder) -> None:
    folder.rows(5)
    task = folder.path / "greet.toml"
    assert folder.run()[0] == 0
    folder.rows(8)
    task.write_text(EMBED.replace("= 16", "= 8"))
    code, _, told = folder.run("--accept-change")
    assert code == 1
    assert "dimensions: 8, but the vectors of this run have 16 numbers" in told
    task.write_text(EMBED.replace("parameters = { dimensions = 16 }\n", ""))
    code, _, told = folder.run("--accept-change")
    assert code == 2
    failures = folder.ledger("SELECT code, message FROM outcomes WHERE NOT succeeded")
    assert (
        failures
        == [("invalid", "The vector has 1536 numbers, but 16 have the others of this run.")] * 3
    )
    assert list(embeddings(folder)) == [1, 2, 3, 4, 5]
    task.write_text(EMBED)
    command = [sys.executable, "-m", "processor", "retry", "out"]
    subprocess.run(command, cwd=folder.path, check=True, capture_output=True)
    assert folder.run("--accept-change")[0] == 0
    assert list(embeddings(folder)) == list(range(1, 9))


def test_equal_rows_have_equal_vectors_and_changed_ones_new_ones(folder: Folder) -> None:
    rows = [{"id": 1, "word": "tree"}, {"id": 2, "word": "tree"}, {"id": 3, "word": "sea"}]
    table = folder.path / "rows.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)))
    assert folder.run()[0] == 0
    before = embeddings(folder)
    assert before[1] == before[2] != before[3]
    rows[1]["word"] = "sea"
    table.write_text("\n".join(map(json.dumps, rows)))
    assert folder.run("--update")[0] == 0
    after = embeddings(folder)
    assert after == {**before, 2: before[3]}


def test_the_price_of_embeddings_is_known(folder: Folder) -> None:
    folder.rows(20)
    code, _, told = folder.run("--budget", "1", "--price", "0.02,0.02,0")
    assert code == 0, told
    figures = folder.figures()
    assert figures["tokens"]["completion"] == 0
    assert figures["cost_usd"] == pytest.approx(figures["tokens"]["prompt"] * 0.02 / 1e6)
