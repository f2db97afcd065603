"""Ring 2: run our tests, or any command, inside a real Saleor.

    python3 scripts/ring2.py [--version 3.23] [pytest arguments]
    python3 scripts/ring2.py --version 3.23 --exec python some_script.py arguments

Saleor's source is taken from SALEOR_SOURCE (one checkout or several, colon-separated)
or from ~/.cache/saleor-amazon-channel/saleor-*. For each version there is one
environment with the checkout's own pinned dependencies and one migrated template
database; both are made on first use and kept. Every run works on its own copy of the
template and drops it at the end. PostgreSQL is the server of DATABASE_URL, or a private
cluster.

Without pytest arguments all tests run, on one worker per core, each with a copy of its
own; with arguments pytest is left to them (`-n 2` brings workers back).

Exit code: 0 when every version passed, 3 when Ring 2 could not run (the reason is
printed), otherwise that of the last version that failed.
"""

from __future__ import annotations

import argparse
import base64
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from saleor_env import cluster
from saleor_env.checkouts import Checkout, find_checkouts, find_python_3_12
from saleor_env.common import REPOSITORY, CannotRunError, cache_folder
from saleor_env.environment import (
    ensure_environment,
    project_path,
    saleor_variables,
)

TESTS = REPOSITORY / "tests" / "in_saleor"
DATABASES = Path(__file__).parent / "saleor_env" / "databases.py"
RUN_PREFIX = "saleor_run_"
WORKERS = ["-n", "logical", "--maxprocesses", "4", "--dist", "worksteal"]
DID_NOT_RUN = 3
INTERRUPTED = 130


def main() -> int:
    options, pytest_arguments = _parse_arguments()
    signal.signal(signal.SIGTERM, _exit_on_signal)
    # Saleor takes long to import: keep its bytecode, but in the cache, so that the
    # checkout stays as it was found.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(cache_folder() / "bytecode")
    try:
        checkouts = find_checkouts(options.version)
        if options.exec:
            checkouts = checkouts[:1]
        python_3_12 = find_python_3_12()
        pythons = {
            checkout: ensure_environment(checkout, python_3_12)
            for checkout in checkouts
        }
        any_python = pythons[checkouts[0]]
        with cluster.server(
            lambda url: _databases(any_python, url, "drop", RUN_PREFIX)
        ) as server:
            codes = {
                checkout: _run_version(
                    checkout, python, server, options.exec, pytest_arguments
                )
                for checkout, python in pythons.items()
            }
    except CannotRunError as error:
        print(f"\nring2: RING 2 DID NOT RUN: {error}\n", file=sys.stderr, flush=True)
        return DID_NOT_RUN
    except KeyboardInterrupt:
        return INTERRUPTED
    if not options.exec:
        for checkout, code in codes.items():
            word = "passed" if code == 0 else f"FAILED (exit code {code})"
            print(f"ring2: Saleor {checkout.version}: {word}")
    return next((code for code in reversed(codes.values()) if code), 0)


def _parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version",
        action="append",
        default=[],
        help="only this Saleor (3.23.28, or 3.23); may be repeated",
    )
    parser.add_argument(
        "--exec",
        nargs=argparse.REMAINDER,
        help="run this command instead of the tests, with a fresh migrated database "
        "in DATABASE_URL; the newest Saleor unless --version says otherwise",
    )
    return parser.parse_known_args()


def _exit_on_signal(number: int, frame: FrameType | None) -> None:
    # SystemExit unwinds: the child is told, the database dropped, the server stopped.
    sys.exit(128 + number)


def _run_version(
    checkout: Checkout,
    python: Path,
    server: str,
    command: list[str] | None,
    pytest_arguments: list[str],
) -> int:
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="ring2-"))
    label = checkout.version.replace(".", "_").replace("-", "_")
    name = f"{RUN_PREFIX}{label}_{secrets.token_hex(4)}"
    try:
        template = _databases(
            python, server, "ensure-template", checkout.path, checkout.version
        )
        _databases(python, server, "copy", template, name)
        variables = saleor_variables(
            checkout, python, _on_server(server, name), project_path(folder)
        )
        variables.setdefault("AMAZON_CHANNEL_ENCRYPTION_KEYS", _encryption_key())
        print(
            f"ring2: Saleor {checkout.version} ({checkout.path}), "
            f"Python {_version_of(python)}, "
            f"PostgreSQL {_databases(python, server, 'server-version')}, "
            f"database {name}, ready in {time.monotonic() - begun:.1f} s",
            flush=True,
        )
        if command:
            return _run_command(command, python, variables)
        variables["RING2_SERVER"] = server
        variables["RING2_TEMPLATE"] = template
        return _run_tests(python, variables, folder, checkout, pytest_arguments)
    finally:
        _databases(python, server, "drop", name)
        shutil.rmtree(folder, ignore_errors=True)


def _run_tests(
    python: Path,
    variables: dict[str, str],
    folder: Path,
    checkout: Checkout,
    pytest_arguments: list[str],
) -> int:
    arguments = [_absolute(argument) for argument in pytest_arguments] or [*WORKERS]
    if not any(argument.startswith(str(TESTS)) for argument in arguments):
        arguments.append(str(TESTS))
    pytest = [python, "-m", "pytest", "-c", TESTS / "pytest.ini", "--rootdir", TESTS]
    cache = cache_folder() / "pytest" / checkout.version
    variables.pop("DJANGO_SETTINGS_MODULE", None)
    # Saleor's tests write below the working directory: give them the run's own.
    return _call([*pytest, "-o", f"cache_dir={cache}", *arguments], variables, folder)


def _absolute(argument: str) -> str:
    """Make a test path absolute, since pytest does not run in the caller's folder."""
    path, separator, test = argument.partition("::")
    if argument.startswith("-") or not Path(path).exists():
        return argument
    return f"{Path(path).resolve()}{separator}{test}"


def _run_command(command: list[str], python: Path, variables: dict[str, str]) -> int:
    variables.setdefault("DJANGO_SETTINGS_MODULE", "saleor.settings")
    migrate = [python, "-m", "django", "migrate", "--verbosity=0"]
    code = _call(migrate, variables, Path.cwd())
    return code or _call(command, variables, Path.cwd())


def _call(command: list[str | Path], variables: dict[str, str], folder: Path) -> int:
    """Run a command to its end, passing on an interruption instead of leaving it."""
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        raise CannotRunError(f"there is no program {command[0]}")
    child = subprocess.Popen([program, *command[1:]], env=variables, cwd=folder)
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.wait()  # the terminal told the child as well; let it finish
        raise
    except SystemExit:
        child.terminate()
        child.wait()
        raise


def _databases(python: Path, server: str, *arguments: str | Path) -> str:
    result = subprocess.run(
        [python, DATABASES, *arguments],
        env={**os.environ, "RING2_SERVER": server},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        raise CannotRunError(f"`{arguments[0]}` of the database failed, see above")
    return result.stdout.strip()


def _on_server(server: str, name: str) -> str:
    base, question, options = server.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{question}{options}"


def _encryption_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _version_of(python: Path) -> str:
    code = "import platform; print(platform.python_version())"
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
