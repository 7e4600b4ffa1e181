#!/usr/bin/env bash
# The whole check: lint, format, types, tests. Makes its own environment.
#   ./scripts/test.sh              everything
#   ./scripts/test.sh -k ledger    further options go to pytest
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"
ensure_env dev
cd "$ROOT"
"$PYTHON" -m ruff check .
"$PYTHON" -m ruff format --check .
"$PYTHON" -m mypy
exec "$PYTHON" -m pytest -n 2 "$@"
