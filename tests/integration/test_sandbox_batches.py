"""Batches, from their creation to their end, by OpenAI's own client."""

from batch_api import Bench, chat_line, chat_lines, walk


def test_a_batch_goes_its_way() -> None:
    async def visit(bench: Bench) -> None:
        batch = await bench.submit([*chat_lines(9), chat_line("bad", temperature=2)])
        assert (batch.status, batch.output_file_id) == ("validating", None)
        seen = []
        for seconds in (0.3, 0.25, 0.25, 0.2):
            batch = await bench.after(batch, seconds)
            assert batch.request_counts is not None
            counts = batch.request_counts
            seen.append((batch.status, counts.total, counts.completed + counts.failed))
        assert seen == [
            ("in_progress", 10, 0),
            ("in_progress", 10, 5),
            ("finalizing", 10, 10),
            ("completed", 10, 10),
        ]
        good = await bench.lines(batch.output_file_id)
        assert {line["custom_id"] for line in good} == {f"c{place}" for place in range(9)}
        assert [line["custom_id"] for line in good] != sorted(line["custom_id"] for line in good)
        (bad,) = await bench.lines(batch.error_file_id)
        assert (bad["custom_id"], bad["response"]["status_code"]) == ("bad", 400)

    walk(visit)
