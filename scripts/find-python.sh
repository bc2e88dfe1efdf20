#!/bin/sh
# Prints the path of a Python from 3.11 to 3.13 that really runs, 3.13 first; downloads nothing.
set -u

check='import sys, venv, ensurepip; raise SystemExit(sys.version_info[:2] != (3, int(sys.argv[1])))'

candidates() {
  command -v "python3.$1" 2>/dev/null
  for root in "${PYENV_ROOT:-$HOME/.pyenv}" "$HOME/.pyenv"; do
    ls -1d "$root"/versions/3."$1".*/bin/python3 2>/dev/null
  done
  ls -1d "$HOME"/.local/share/uv/python/cpython-3."$1".*/bin/python3 2>/dev/null
  ls -1d /opt/homebrew/opt/python@3."$1"/bin/python3."$1" /usr/local/bin/python3."$1" 2>/dev/null
  command -v python3 2>/dev/null
  command -v python 2>/dev/null
}

# A pyenv shim exists for every version it ever saw and fails when that one is not selected:
# so each candidate is run, not merely found.
for minor in 13 12 11; do
  for python in $(candidates "$minor"); do
    if "$python" -c "$check" "$minor" >/dev/null 2>&1; then
      "$python" -c 'import sys; print(sys.executable)'
      exit 0
    fi
  done
done

echo "No Python from 3.11 to 3.13 (with venv) was found. Install one, or name it: make PYTHON=/path/to/python3.13" >&2
exit 1
