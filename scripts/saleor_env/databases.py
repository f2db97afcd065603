"""Templates and copies of them; run by the environment's Python, which has psycopg.

A template is a database with all of Saleor's migrations and nothing else. It is named
after the content of those migrations, so it outlives runs, clones and changes of ours.
Copying it takes a fraction of a second where migrating takes minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

NEEDED_EXTENSIONS = {"btree_gin", "hstore", "pg_trgm", "pgcrypto"}


def migrations_digest(saleor: Path) -> str:
    """Return a digest over every migration of the checkout, by name and content."""
    digest = hashlib.sha256()
    for file in sorted(saleor.glob("saleor/**/migrations/*.py")):
        digest.update(str(file.relative_to(saleor)).encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:10]


def ensure_template(server: str, saleor: Path, version: str) -> str:
    """Return the name of the migrated template, building it if it is missing."""
    label = version.replace(".", "_").replace("-", "_")
    name = f"saleor_template_{label}_{migrations_digest(saleor)}"
    unfinished = f"{name}_unfinished"
    with psycopg.connect(server, autocommit=True) as connection:
        # Somebody else may be building the same one: wait for it.
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        exists = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(exists, [name]).fetchone():
            return name
        available = connection.execute("SELECT name FROM pg_available_extensions")
        missing = NEEDED_EXTENSIONS - {row[0] for row in available}
        if missing:
            raise SystemExit(
                f"this PostgreSQL lacks the extensions {', '.join(sorted(missing))}, "
                "which Saleor's migrations create (Debian: package postgresql-contrib)"
            )
        print(
            f"ring2: migrating a template database for Saleor {version}, once; "
            "this takes two to three minutes",
            file=sys.stderr,
            flush=True,
        )
        connection.execute(
            SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                Identifier(unfinished)
            )
        )
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                Identifier(unfinished)
            )
        )
        _migrate(on_server(server, unfinished), saleor)
        connection.execute(
            SQL("ALTER DATABASE {} RENAME TO {}").format(
                Identifier(unfinished), Identifier(name)
            )
        )
    return name


def _migrate(database_url: str, saleor: Path) -> None:
    # Saleor's test settings create no default channel, warehouse or product type,
    # which both its fixtures and our demo shops want to make themselves.
    variables = {
        **os.environ,
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "saleor.tests.settings",
        "PYTHONPATH": str(saleor),
        "SECRET_KEY": "only for migrating",
    }
    migrate = [sys.executable, "-m", "django", "migrate", "--run-syncdb"]
    subprocess.run(
        [*migrate, "--verbosity=0"],
        env=variables,
        # Python and Celery put the working directory on the path: a clone of ours
        # there, with its egg-info, would bring our own migrations into the template.
        cwd="/",
        stdout=sys.stderr,
        check=True,
    )


def copy_template(server: str, template: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(
                Identifier(name), Identifier(template)
            )
        )


def drop_databases(server: str, prefix: str) -> None:
    """Drop every database whose name starts with `prefix`."""
    with psycopg.connect(server, autocommit=True) as connection:
        names = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        for (name,) in connection.execute(names, [prefix]).fetchall():
            connection.execute(
                SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name))
            )


def server_version(server: str) -> str:
    with psycopg.connect(server) as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0])


def on_server(server: str, name: str) -> str:
    """Return the URL of database `name` on the server of the URL `server`."""
    base, question, options = server.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{question}{options}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    template = commands.add_parser("ensure-template")
    template.add_argument("saleor", type=Path)
    template.add_argument("version")
    copy = commands.add_parser("copy")
    copy.add_argument("template")
    copy.add_argument("name")
    drop = commands.add_parser("drop")
    drop.add_argument("prefix")
    commands.add_parser("server-version")
    options = parser.parse_args()
    # Not an argument: it holds a password, and arguments are seen by everybody.
    server = os.environ["RING2_SERVER"]
    match options.command:
        case "ensure-template":
            print(ensure_template(server, options.saleor, options.version))
        case "copy":
            copy_template(server, options.template, options.name)
        case "drop":
            drop_databases(server, options.prefix)
        case "server-version":
            print(server_version(server))


if __name__ == "__main__":
    main()
