#!/usr/bin/env bash
# Sealed stores against two other implementations of their ciphers: PyNaCl and Python's `cryptography`.
#
# Installs them from PyPI into a throw-away directory; where it does not answer, that is said and the check is
# skipped. Usage: tests/sealing/run.sh
set -euo pipefail

checks=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! { python3 -m venv "$work/python" &&
    "$work/python/bin/pip" install --quiet --disable-pip-version-check pynacl cryptography argon2-cffi; }; then
    echo "skipped: PyNaCl, cryptography or argon2-cffi cannot be installed"
    exit 0
fi
"$work/python/bin/python" "$checks/check.py" "$checks"
