"""What is declared to which release of Saleor."""

from __future__ import annotations

import pytest

from saleor_amazon_channel.dashboard import manifest

APP = "https://api.shop.example/plugins/global/x/dashboard"
BASE = "https://api.shop.example/plugins/global/x"

#: All that Saleor 3.21 knows of orders; it refuses a manifest with anything else.
MOUNTS_321 = {
    "NAVIGATION_ORDERS",
    "ORDER_DETAILS_MORE_ACTIONS",
    "ORDER_OVERVIEW_CREATE",
    "ORDER_OVERVIEW_MORE_ACTIONS",
}


@pytest.mark.parametrize(
    ("release", "added"),
    [
        ((3, 21), set()),
        ((3, 22), {"ORDER_DETAILS_WIDGETS"}),
        ((3, 23), {"ORDER_DETAILS_WIDGETS", "SEARCH_ACTION"}),
        ((3, 24), {"ORDER_DETAILS_WIDGETS", "SEARCH_ACTION"}),
    ],
)
def test_each_release_gets_the_places_it_knows(release, added):
    declared = manifest.manifest(release, APP, BASE)

    mounts = [each["mount"] for each in declared["extensions"]]
    assert set(mounts) == (MOUNTS_321 - {"ORDER_OVERVIEW_CREATE"}) | added
    assert len(set(mounts)) == len(mounts)
    has_identifiers = {"identifier" in each for each in declared["extensions"]}
    assert has_identifiers == {release >= (3, 23)}
    assert ("tokenTargetUrl" in declared) is (release < (3, 23))


def test_addresses_are_in_the_form_that_the_dashboard_joins_rightly():
    for each in manifest.extensions((3, 23), APP):
        if each.target == "APP_PAGE":
            assert each.url.startswith("/")
        else:
            assert each.url == f"{APP}/widget"


def test_every_place_asks_for_what_the_app_has_and_for_something():
    for each in manifest.extensions((3, 23), APP):
        assert each.permissions
        assert set(each.permissions) <= set(manifest.PERMISSIONS)


def test_texts_fit_into_saleors_columns():
    assert len(manifest.NAME) <= 60
    assert len(manifest.AUTHOR) <= 60
