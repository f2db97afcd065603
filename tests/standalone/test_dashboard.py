"""The channel's pages in the stand-alone shop, and the page that frames them."""

from __future__ import annotations

import json
import re

import jwt
import pytest
from django.test import Client

from saleor_amazon_channel.dashboard import pages

FRAMED = Client(headers={"Host": "127.0.0.1:8000"})
HOST = Client(headers={"Host": "localhost:8000"})


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/orders/1"])
def test_the_pages_are_served_and_only_the_host_page_may_frame_them(path):
    answer = FRAMED.get(path)

    assert answer.status_code == 200
    assert b'<meta name="graphql" content="../graphql/">' in answer.content
    assert answer["Content-Security-Policy"].endswith(
        "frame-ancestors 'self' http://localhost:8000"
    )


def test_all_that_a_page_names_is_there():
    html = FRAMED.get("/dashboard").content.decode()
    names = re.findall(r'(?:src|href)="\./([^"]+)"', html)

    assert {name.rpartition(".")[2] for name in names} == {"css", "js", "png"}
    for name in names:
        assert FRAMED.get(f"/dashboard/{name}").content
    assert set(names) <= pages.built_files().keys()


def test_the_build_has_no_address_and_no_other_font():
    files = pages.built_files()

    fonts = [name for name in files if name.endswith(".woff2")]
    assert [re.sub("-[0-9a-f]+.woff2", "", name) for name in fonts] == [
        "assets/Inter-roman.var"
    ]
    assert b'"/assets/' not in files["index.html"].content


def test_the_host_page_is_of_another_origin_and_brings_tokens():
    answer = HOST.get("/dashboard-host/orders/x")

    config = json.loads(
        re.search(r'id="config">(.*?)</script>', answer.content.decode()).group(1)
    )
    assert config["origin"] == "http://127.0.0.1:8000"
    assert config["shop"] == "the stand-alone shop, which is not Saleor"
    claims = jwt.decode(
        config["tokens"]["order_staff"], options={"verify_signature": False}
    )
    assert claims["user_permissions"] == ["MANAGE_ORDERS"]


def test_under_the_name_of_the_pages_it_leads_to_its_own():
    answer = FRAMED.get("/dashboard-host/")

    assert answer.status_code == 302
    assert answer["Location"] == "http://localhost:8000/dashboard-host/"


@pytest.mark.parametrize(
    ("query", "policy"),
    [("", None), ("?referrer=no-referrer", "no-referrer"), ("?referrer=x", None)],
)
def test_it_can_hide_the_referrer(query, policy):
    answer = HOST.get(f"/dashboard-host/{query}")

    assert answer.headers.get("Referrer-Policy") == policy
