"""Find Saleor's source and a Python 3.12, which is the only one Saleor supports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from saleor_env.common import CannotRunError, cache_folder

_VERSION = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Checkout:
    path: Path
    version: str

    @property
    def sort_key(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.version))


def find_checkouts(versions: list[str]) -> list[Checkout]:
    """Return the checkouts to test, newest first.

    `SALEOR_SOURCE` names one or several (colon-separated); otherwise every
    `saleor-*` folder of the cache. `versions` narrows them, by whole version or by
    its beginning ("3.23"), and each of them must be there.
    """
    named = os.environ.get("SALEOR_SOURCE", "")
    if named:
        folders = [Path(part).expanduser() for part in named.split(":") if part]
        where = f"SALEOR_SOURCE={named}"
    else:
        folders = sorted(cache_folder().glob("saleor-*"))
        where = f"{cache_folder()}/saleor-* (SALEOR_SOURCE is not set)"
    found = []
    for folder in folders:
        source = folder / "saleor" / "__init__.py"
        version = _VERSION.search(source.read_text()) if source.is_file() else None
        if version:
            found.append(Checkout(folder.resolve(), version[1]))
        elif named:
            raise CannotRunError(f"{folder} is not a Saleor checkout: {where}")
    if not found:
        raise CannotRunError(
            f"no Saleor checkout found; looked for saleor/__init__.py in {where}"
        )
    wanted = found
    if versions:
        wanted = [c for c in found if any(_is(c.version, v) for v in versions)]
        have = ", ".join(checkout.version for checkout in found)
        for version in versions:
            if not any(_is(checkout.version, version) for checkout in found):
                raise CannotRunError(f"no Saleor {version} among {have} in {where}")
    return sorted(wanted, key=lambda checkout: checkout.sort_key, reverse=True)


def _is(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(f"{wanted}.")


def find_python_3_12() -> Path:
    """Return a Python 3.12 that really starts: pyenv's shims exist but may refuse."""
    candidates = [Path(sys.executable)]
    on_path = shutil.which("python3.12")
    if on_path:
        candidates.append(Path(on_path))
    roots = [os.environ.get("PYENV_ROOT"), str(Path.home() / ".pyenv")]
    for root in dict.fromkeys(root for root in roots if root):
        versions = Path(root, "versions").glob("3.12.*/bin/python3.12")
        candidates.extend(sorted(versions, reverse=True))
    for candidate in candidates:
        answer = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.stdout.split() == ["3", "12"]:
            return candidate
    looked = ", ".join(str(candidate) for candidate in candidates)
    raise CannotRunError(
        "Saleor needs Python 3.12 and none was found; looked for python3.12 on PATH "
        f"and under $PYENV_ROOT/versions and ~/.pyenv/versions (tried: {looked})"
    )
