#!/usr/bin/env bash
# The whole check: lint, format, types, tests. Makes its own environment.
#   ./scripts/test.sh              everything
#   ./scripts/test.sh -k ledger    further options go to pytest
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"
ensure_env dev
cd "$ROOT"
if [[ -z "${CI:-}" ]] && ! command -v chromium > /dev/null; then
  echo "There is no chromium on the PATH: tests of pages are left out (Debian: apt-get install chromium)." >&2
  set -- -m "not slow and not browser" "$@"
fi
"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m mypy
# One more than two cores: half of a test's time is waiting for servers and processes.
exec "$PYTHON" -m pytest -n 3 "$@"
