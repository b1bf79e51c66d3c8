#!/usr/bin/env bash
# Writes requirements/*.txt anew: the newest versions that pyproject.toml admits, for every Python and platform, with hashes.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
  local file=$1; shift
  .venv/bin/uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --annotation-style line \
    --custom-compile-command "make lock" --output-file "requirements/$file.txt" pyproject.toml "$@" >/dev/null
}

.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.5,<1"
lock dev --extra dev
lock run --constraint requirements/dev.txt
