"""The runner of Ring 2 says loudly that it cannot run, in words and exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).parents[1] / "scripts" / "ring2.py"


def run_with(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, RUNNER, *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def make_checkout(folder: Path, version: str) -> None:
    (folder / "saleor").mkdir(parents=True)
    (folder / "saleor" / "__init__.py").write_text(f'__version__ = "{version}"\n')


def test_no_checkout_in_the_cache(tmp_path):
    result = run_with(XDG_CACHE_HOME=str(tmp_path), SALEOR_SOURCE="")

    assert result.returncode == 3
    assert (
        "RING 2 DID NOT RUN: no Saleor checkout found; looked for saleor/__init__.py "
        f"in {tmp_path}/saleor-amazon-channel/saleor-*"
    ) in result.stderr


def test_named_source_is_not_a_checkout(tmp_path):
    result = run_with(XDG_CACHE_HOME=str(tmp_path), SALEOR_SOURCE=str(tmp_path))

    assert result.returncode == 3
    assert f"RING 2 DID NOT RUN: {tmp_path} is not a Saleor checkout" in result.stderr


def test_version_that_is_not_there(tmp_path):
    make_checkout(tmp_path / "one", "3.22.67")
    make_checkout(tmp_path / "two", "3.23.28")

    result = run_with(
        *("--version", "3.2"),
        XDG_CACHE_HOME=str(tmp_path),
        SALEOR_SOURCE=f"{tmp_path}/one:{tmp_path}/two",
    )

    assert result.returncode == 3
    assert "no Saleor 3.2 among 3.22.67, 3.23.28" in result.stderr
