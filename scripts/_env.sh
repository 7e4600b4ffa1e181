# Sourced by the scripts: leaves in $PYTHON an interpreter that can import
# processor. An active conda environment that has it is used as it is, and so
# is an activated venv while there is no .venv; otherwise .venv is made once,
# and again when pyproject.toml changes. Nothing is installed into conda's.
#
#   ensure_env sandbox        # the extras that the caller needs

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

_find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ] && ! command -v "$PYTHON" >/dev/null; then
    echo "Error: PYTHON=$PYTHON is no program." >&2
    return 1
  fi
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  echo "Python 3.11 or newer was not found. Install it, or name it: PYTHON=/path/to/python3 $0" >&2
  return 1
}

_install() { # extras stamp
  local base
  base="$(_find_python)" || return 1
  echo "Setting up $ROOT/.venv (once; about half a minute) ..." >&2
  [ -x "$ROOT/.venv/bin/python" ] || "$base" -m venv "$ROOT/.venv" || {
    echo "Could not make $ROOT/.venv. On Debian: apt-get install python3-venv" >&2
    return 1
  }
  "$ROOT/.venv/bin/python" -m pip install -qq --disable-pip-version-check \
    --editable "$ROOT[$1]" >&2 || {
    echo "pip could not install the packages: see the lines above; a proxy is set with HTTPS_PROXY." >&2
    return 1
  }
  printf '%s' "$2" >"$ROOT/.venv/.stamp-$1"
}

_is_ready() { # extras stamp
  local name
  for name in "$1" dev; do # dev holds everything
    [ "$(cat "$ROOT/.venv/.stamp-$name" 2>/dev/null)" != "$2" ] || return 0
  done
  return 1
}

ensure_env() { # extras
  local extras="$1" stamp
  # Not the python of PATH, which may be another's; -P: not what lies in this folder.
  if "${CONDA_PREFIX:-/nowhere}/bin/python" -Pc 'import processor' 2>/dev/null; then
    PYTHON="$CONDA_PREFIX/bin/python"
    return 0
  fi
  if [ -n "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" ] && [ ! -e "$ROOT/.venv" ] \
    && python -c 'import processor' 2>/dev/null; then
    PYTHON="$(command -v python)"
    return 0
  fi
  stamp="$(cksum <"$ROOT/pyproject.toml")"
  if ! _is_ready "$extras" "$stamp"; then
    # Two scripts started at once must not install into one folder together.
    exec 9>"$ROOT/.venv.lock"
    if command -v flock >/dev/null; then flock 9; fi
    if ! _is_ready "$extras" "$stamp"; then
      _install "$extras" "$stamp" || return 1
    fi
    exec 9>&-
  fi
  PYTHON="$ROOT/.venv/bin/python"
}

# Prints what is to be added to the extras when somebody is to be told how it ends.
notify_extra() { # the options of the caller
  case " $* ${PROCESSOR_NOTIFY:+--notify}" in *" --notify"*) printf ,notify; return ;; esac
  if grep -qs '^PROCESSOR_NOTIFY=' .env || grep -qs '^[[:space:]]*notify[[:space:]]*=' processor.toml; then
    printf ,notify
  fi
}
