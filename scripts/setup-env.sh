#!/bin/sh
# setup-env.sh FOLDER EXTRA: a virtual environment in FOLDER with this project and its
# EXTRA dependencies. Does nothing when that is there already.
set -eu

folder=$1
extra=$2
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"

# What was installed: another pyproject, place or set of extras means installing anew.
wanted="$here [$extra] $(cksum < pyproject.toml)"
stamp="$folder/installed"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$folder/bin/python" -c ""; then
    exit 0
fi
rm -f "$stamp"
if ! "$folder/bin/python" -m pip --version > /dev/null 2>&1; then
    python=$(sh scripts/find-python.sh)
    echo "Making $folder with $python ..."
    "$python" -m venv --clear "$folder"
fi
echo "Installing saleor-amazon-channel[$extra] into $folder ..."
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]"
printf '%s' "$wanted" > "$stamp"
