#!/bin/sh
# Print the path of a Python 3.11 or newer that can make virtual environments.
# PYTHON=/path/to/python names one; else the usual names are tried, newest tried last
# since not every dependency has wheels for the newest.
set -eu

tried=""
for name in ${PYTHON:-python3.12 python3.13 python3.11 python3 python python3.14}; do
    path=$(command -v "$name" 2>/dev/null) || { tried="$tried
  $name: not found"; continue; }
    # A pyenv shim exists without the version behind it, hence running it.
    if found=$("$path" -c '
import sys
if sys.version_info < (3, 11):
    sys.exit("is Python %d.%d" % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv or ensurepip (Debian: apt install python3-venv)")
print(sys.executable)' 2>&1); then
        printf '%s\n' "$found"
        exit 0
    fi
    tried="$tried
  $path: $(printf '%s' "$found" | head -n 1)"
done
printf 'No Python 3.11 or newer was found. Looked for:%s\nName one with PYTHON=/path/to/python.\n' "$tried" >&2
exit 1
