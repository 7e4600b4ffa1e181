#!/usr/bin/env bash
# MathML questions to LaTeX, directly: SIZE at a time, TOTAL in all.
#
#   ./run_batch_conversion.sh                  100 at a time, 1,000 in all
#   ./run_batch_conversion.sh 50 500
#   ./run_batch_conversion.sh 100 10000 --sandbox
#   ./run_batch_conversion.sh 100 1000 --input questions.csv --concurrency 20 --wait 2
#   ./run_batch_conversion.sh 100 1000 --input questions.csv --notify mailto://…
#
# Further options go to `processor run`; --help lists them. Rows come from --input, from the
# database that DATABASE_URL names, to which results go back, or are made up (with --sandbox).
# Works from any folder; results go to runs/ and logs/ in the folder where it is typed.
set -euo pipefail
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/_env.sh"

size=100
total=1000
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then size="$1"; shift; fi
if [[ "${1:-}" =~ ^[0-9]+$ ]]; then total="$1"; shift; fi
if [[ "${1:-}" != "" && "${1:-}" != -* ]]; then
  echo "Error: $1 is neither a number nor an option. Usage: $(basename "$0") [SIZE] [TOTAL] [options]" >&2
  exit 1
fi

extras=sandbox
case "${DATABASE_URL:-} $*" in *postgres*://*) extras=postgres,sandbox ;; esac
if grep -qs '^DATABASE_URL=' .env; then extras=postgres,sandbox; fi
ensure_env "$extras$(notify_extra "$@")"
exec "$PYTHON" -m processor run --task mathml --route direct --chunk-size "$size" --limit "$total" "$@"
