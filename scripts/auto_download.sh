#!/usr/bin/env bash
# Waits until a labelling job is done, then downloads its labels.
#
#   ./auto_download.sh --input data/unlabeled_news.csv --output data/labeled_news.csv
#   ./auto_download.sh --batch-id batch_xyz789 --input data/unlabeled_news.csv \
#       --output data/labeled_news.csv --every 600
#
# --every S: seconds between two looks (300). Further options go to batch_labeling_openai.py:
# --notify URL tells somebody when the labels are there; without --batch-id the job is the last
# one that was submitted in this folder. A look that fails is made again, ten times in a row at
# most. The exit code is that of the download.
set -uo pipefail
here="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
source "$here/_env.sh"

every=300
patience=10
options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --every) every="${2:-}"; shift 2 || shift ;;
    --every=*) every="${1#*=}"; shift ;;
    --mode | --mode=*) echo "Error: --mode is download here." >&2; exit 1 ;;
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) options+=("$1"); shift ;;
  esac
done
if ! [[ "$every" =~ ^[0-9]+(\.[0-9]+)?$ ]]; then
  echo "Error: --every takes a number of seconds, not '$every'." >&2
  exit 1
fi

ensure_env "sandbox$(notify_extra "${options[@]}")" || exit 1
labelling() { "$PYTHON" "$here/batch_labeling_openai.py" "${options[@]}" "$@"; }

failures=0
while true; do
  said="$(labelling --mode check)"
  code=$?
  status="$(grep "상태:" <<<"$said" | awk '{print $2}')"
  echo "$(date '+%Y-%m-%d %H:%M:%S') ${status:-?} $(grep "진행률:" <<<"$said" | sed 's/^ *//')"
  case "$status" in completed | failed | cancelled) break ;; esac
  if [ "$code" -eq 0 ]; then
    failures=0
  elif [ "$code" -ne 3 ] || [ $((failures += 1)) -ge "$patience" ]; then
    exit "$code"
  fi
  sleep "$every"
done
labelling --mode download
