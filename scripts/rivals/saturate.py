"""saturate: `pump` into Parquet, its window adaptive as always, up to the calls in flight."""

from saturate import Auto, pump, read_output  # type: ignore[import-not-found] # installed there

from rivals.job import Job, main


def _work(job: Job) -> None:
    rows = {row.id: row for row in job.rows}
    with job.measured():
        pump(
            [{"id": row.id, "messages": row.messages} for row in job.rows],
            lambda row: {"model": job.model, "messages": row["messages"]},
            lambda _row, answer: {"text": answer["choices"][0]["message"]["content"]},
            job.url,
            "answers",
            window=Auto(max_limit=max(2, job.concurrency)),
            headers={"Authorization": f"Bearer {job.key}"},
            id_key="id",
        )
        for row_id, answer in read_output("answers"):
            job.keep(rows[row_id], answer.get("text"))


if __name__ == "__main__":
    main(_work, distribution="saturate")
