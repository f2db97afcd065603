"""Our fields in Saleor's own schema, and Saleor's schema as it was."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from saleor import urls
from saleor.graphql import api, views
from saleor.graphql.core.federation import schema as federation
from saleor.graphql.query_cost_map import COST_MAP
from saleor.graphql.schema_printer import print_schema

import saleor_amazon_channel
from saleor_amazon_channel.saleor import install, schema

SNAPSHOT = Path(__file__).parents[2] / "docs" / "schema.graphql"

QUERIES = ("amazonAccounts", "amazonOrder", "amazonOrders")
MUTATIONS = ("amazonAccountConnect", "amazonMarketplaceUpdate", "amazonOrdersImport")


HEAD = re.compile(r"(schema|type|interface|enum|input|scalar|union|directive) ?(@?\w*)")


def definitions(sdl):
    """Name of each definition → its text, with its description."""
    found, name, text = {}, None, []
    for line in sdl.splitlines():
        head = HEAD.match(line)
        if head and name is None:
            name = head.group(2) or head.group(1)
        text.append(line)
        is_over = line.startswith(("}", ") on")) or (
            head and not line.endswith(("{", "("))
        )
        if name and is_over:
            found[name] = "\n".join(text).strip()
            name, text = None, []
    assert not "".join(text).strip()
    return found


@pytest.fixture(scope="module")
def saleors_own():
    """The schema Saleor would have without us, built the same way."""
    own = {federation._Any, federation._Entity, federation._Service}
    return federation.build_federated_schema(
        api.Query.__bases__[1],
        mutation=api.Mutation.__bases__[1],
        types=[type_ for type_ in api.schema.types if type_ not in own],
        subscription=api.schema._subscription,
        directives=api.schema._directives,
    )


def test_everybody_holds_the_composed_schema():
    assert install.problems == []
    assert urls.schema is api.schema
    assert set(QUERIES) <= set(api.schema.get_type("Query").fields)
    assert set(MUTATIONS) <= set(api.schema.get_type("Mutation").fields)
    assert COST_MAP["Query"]["amazonOrders"]


def test_saleors_own_types_are_unchanged(saleors_own):
    before = definitions(print_schema(saleors_own))
    after = definitions(print_schema(api.schema))

    ours = after.keys() - before.keys()
    assert before.keys() <= after.keys()
    assert len(before) > 1000
    assert all(name.startswith("Amazon") for name in ours)
    changed = {name for name, block in before.items() if after[name] != block}
    assert changed == {"Query", "Mutation"}
    for name in changed:
        # Nothing of Saleor's was lost or moved: its lines are there, in their order.
        lines = iter(after[name].splitlines())
        assert all(line in lines for line in before[name].splitlines())


def test_snapshot_of_our_part(saleors_own):
    before = definitions(print_schema(saleors_own))
    after = definitions(print_schema(api.schema))
    parts = [after[name] for name in after if name not in before]
    for root in ("Query", "Mutation"):
        difference = difflib.ndiff(before[root].splitlines(), after[root].splitlines())
        added = [line[2:] for line in difference if line.startswith("+ ")]
        parts.append("\n".join([f"extend type {root} {{", *added, "}"]))
    text = "\n\n".join(parts) + "\n"
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(text)

    assert SNAPSHOT.read_text() == text, "run again with UPDATE_SNAPSHOT=1 if meant"


def test_composition_that_fails_leaves_saleors_schema(monkeypatch, caplog):
    costs = {name: dict(fields) for name, fields in COST_MAP.items()}

    def fail(*args, **kwargs):
        raise AssertionError("two types named Money")

    monkeypatch.setattr(install, "problems", [])
    for name in ("Query", "Mutation"):
        monkeypatch.setattr(api, name, getattr(api, name).__bases__[1])
    before = (api.schema, api.Query, api.Mutation, urls.schema)
    monkeypatch.setattr(federation, "build_federated_schema", fail)
    install._try("Saleor's API has no Amazon fields.", schema.compose, api)

    assert (api.schema, api.Query, api.Mutation, urls.schema) == before
    assert costs == COST_MAP
    (warning,) = install.check_installation(None)
    assert warning.id == "amazon_channel.W002"
    assert "Saleor's API has no Amazon fields." in warning.msg
    assert "two types named Money" in warning.msg
    assert "could not start" in caplog.text


def run_fresh(code):
    """Run ``code`` in a process that boots Saleor as a shop does."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "saleor.settings",
        "SECRET_KEY": "test",
        "PYTHONWARNINGS": "ignore",
    }
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def test_a_process_pays_for_the_schema_only_when_it_uses_it():
    run_fresh(
        """
import sys, django
django.setup()
assert "saleor.graphql.api" not in sys.modules
from saleor_amazon_channel.saleor import install, schema
assert any(isinstance(finder, schema._AfterImport) for finder in sys.meta_path)
import saleor.urls
from saleor.graphql import api, views
assert "amazonOrders" in api.schema.get_type("Query").fields
assert saleor.urls.schema is api.schema
assert install.problems == []
assert not any(isinstance(finder, schema._AfterImport) for finder in sys.meta_path)
"""
    )


def test_a_shop_with_a_broken_part_of_ours_boots_and_keeps_its_own_schema():
    result = run_fresh(
        """
import sys, django
sys.modules["saleor_amazon_channel.graphql.queries"] = None  # cannot be imported
sys.modules["saleor_amazon_channel.saleor.store"] = None
django.setup()
from django.core.management import call_command
call_command("check")
from saleor.graphql import api
result = api.schema.execute("{ __schema { queryType { fields { name } } } }")
names = {field["name"] for field in result.data["__schema"]["queryType"]["fields"]}
assert "orders" in names and "amazonOrders" not in names
"""
    )

    assert "(amazon_channel.W002) Saleor's API has no Amazon fields." in result.stderr
    assert "(amazon_channel.W002) Amazon orders cannot be imported." in result.stderr


def test_cached_introspection_of_before_the_installation_is_not_served():
    key = views.generate_cache_key("{ __schema { types { name } } }")

    assert key.endswith(f"-amazon-{saleor_amazon_channel.__version__}")
    assert key.endswith(django_settings.GRAPHQL_CACHE_SUFFIX)


def test_saleors_view_still_answers_saleors_queries(api_client):
    answer = api_client.post_graphql("{ shop { name } }").json()

    assert "errors" not in answer
