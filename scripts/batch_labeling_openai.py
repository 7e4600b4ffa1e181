#!/usr/bin/env python3
"""Labels for news articles by OpenAI's Batch API, at half the price.

    python scripts/batch_labeling_openai.py --input data/unlabeled_news.csv --mode submit
    python scripts/batch_labeling_openai.py --mode check --batch-id batch_xyz789
    python scripts/batch_labeling_openai.py --mode download --batch-id batch_xyz789 \
        --input data/unlabeled_news.csv --output data/labeled_news.csv

Works from any folder; batch_openai.jsonl, batch_info_openai.json, runs/ and logs/ are in the
folder where it is typed. --help tells all options; --sandbox tries it without a key.
"""

import os
import sys

if __name__ == "__main__":
    from _home import enter

    is_told = "PROCESSOR_NOTIFY" in os.environ or any("--notify" in word for word in sys.argv)
    enter(__file__, extras="sandbox,notify" if is_told else "sandbox")
    try:
        from processor.labelling.command import main
    except ModuleNotFoundError as error:
        print(
            f"❌ {error.name} 패키지가 설치되어 있지 않습니다: "
            f"{sys.executable} -m pip install request-processor",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    main()
