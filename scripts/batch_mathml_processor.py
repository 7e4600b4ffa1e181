"""MathML questions of a database to LaTeX, from Python or the command line.

    python scripts/batch_mathml_processor.py                  # DATABASE_URL, 100 at a time
    python scripts/batch_mathml_processor.py 50 --limit 500 --wait 2

    from batch_mathml_processor import BatchMathMLProcessor
    processor = BatchMathMLProcessor(api_key, batch_size=50)
    processor.wait_time = 5
    report = processor.process(processor.load_data_from_database(limit=500))

The command line writes results back into the database, as does process() without items. They are
in runs/, the logs in logs/, in the folder where it is typed; the same command goes on.
"""

import argparse
import sys

if __name__ == "__main__":
    from _home import enter

    enter(__file__, extras="postgres,sandbox")

from processor import BatchMathMLProcessor, ProcessorError

__all__ = ["BatchMathMLProcessor"]


def main() -> int:
    """Convert what the command line says; returns the exit code of `processor run`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("batch_size", nargs="?", type=int, default=100, metavar="SIZE")
    parser.add_argument("--limit", type=int, help="questions not done yet to take at most")
    parser.add_argument("--wait", type=float, default=0, metavar="S", help="between batches")
    parser.add_argument("--sandbox", action="store_true", help="no key, no cost")
    options = parser.parse_args()
    at_most = {} if options.limit is None else {"limit": options.limit}
    try:
        processor = BatchMathMLProcessor(
            batch_size=options.batch_size,
            wait_time=options.wait,
            sandbox=options.sandbox,
            **at_most,
        )
        report = processor.process()
    except ProcessorError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{report.succeeded:,} of {report.total:,} converted: {report.folder}")
    for handover in report.handovers:
        print(f"{handover.delivered.inserted:,} new in {handover.name}")
        if handover.problem is not None:
            print(f"Not all results are there: {handover.problem}", file=sys.stderr)
    return report.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
