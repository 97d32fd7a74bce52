#!/bin/sh
# Make .venv with the pinned, hash-checked packages; say in one line what the machine lacks.
set -eu
PYTHON=${PYTHON:-python3}

if ! command -v "$PYTHON" >/dev/null; then
    echo "Python is missing: apt-get install python3 python3-venv" >&2
    exit 1
fi
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$PYTHON" --version) is too old, 3.11 is needed: PYTHON=python3.12 make setup uses another." >&2
    exit 1
fi
if ! "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "Python's venv module is missing: apt-get install python3-venv" >&2
    exit 1
fi

echo "Setting up .venv, once …"
[ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 || "$PYTHON" -m venv --clear .venv
pip() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"; }
pip requirements-uv.txt
# uv is many times faster than pip, but does not know an index that is configured for pip alone.
.venv/bin/uv pip install --quiet -p .venv/bin/python --require-hashes -r requirements-dev.txt 2>/dev/null ||
    pip requirements-dev.txt
touch .venv/.stamp
