"""A user's tokens: listing and revoking (SPEC 1)."""

import re
import time
from urllib.parse import quote

import pytest
import requests

from harness.realm import SECRET
from harness.service import CALL_SECS, unique
from harness.tokens import (USERS, assert_oauth_error, form, grant, is_active,
                            refreshed, token_realm)


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def call(service, method, user, tail="", client="people", **options):
    auth = None if client is None else (client, SECRET)
    return requests.request(
        method, f"{service.url}{USERS}{quote(user, safe='')}/tokens{tail}",
        auth=auth, timeout=CALL_SECS, **options)


def listed(service, user, **query):
    answer = call(service, "GET", user, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_list(service):
    user = unique("user")
    grant(service, user=user, scope=["read", "openid"])
    body = listed(service, "mirror|" + user)
    assert set(body) == {"tokens"}
    (token,) = body["tokens"]
    assert re.match(r"^[0-9A-F]{16}$", token.pop("id"))
    created, expires = token.pop("created_at"), token.pop("expires_at")
    assert abs(created - time.time()) < 10 and expires > created + 3600
    assert token == {"client_id": "app", "idp": "mirror",
                     "scope": "read openid", "refresh_token": True,
                     "stateless": False}


def test_nobody_has_nothing(service):
    assert listed(service, "mirror|" + unique()) == {"tokens": []}


def test_an_id_outlives_a_refresh_and_tells_nothing(service):
    user = unique("user")
    tokens = grant(service, user=user)
    (before,) = listed(service, "mirror|" + user)["tokens"]
    new = refreshed(service, tokens["refresh_token"])
    (after,) = listed(service, "mirror|" + user)["tokens"]
    assert before["id"] == after["id"]
    for token in (tokens, new):
        assert before["id"] not in token["access_token"]
        assert before["id"] not in token["refresh_token"]


def test_pages(service):
    user = unique("user")
    for _ in range(7):
        grant(service, user=user)
    sub = "mirror|" + user
    seen, query = [], {"limit": 3}
    while True:
        body = listed(service, sub, **query)
        assert len(body["tokens"]) <= 3
        seen += [token["id"] for token in body["tokens"]]
        if "next" not in body:
            break
        query["after"] = body["next"]
    assert len(seen) == len(set(seen)) == 7
    assert seen == [token["id"] for token in listed(service, sub)["tokens"]]


@pytest.mark.parametrize("query", [
    {"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"limit": ""},
    {"limit": "-1"}, {"limit": "99999999999"}, {"after": "x"},
    {"after": "0123456789ABCDEF0"}])
def test_bad_queries(service, query):
    answer = call(service, "GET", "mirror|x", params=query)
    assert_oauth_error(answer, 400, "invalid_request")


def test_delete_one(service):
    user = unique("user")
    first, second = grant(service, user=user), grant(service, user=user)
    ids = [t["id"] for t in listed(service, "mirror|" + user)["tokens"]]
    answer = call(service, "DELETE", "mirror|" + user, "/" + ids[0])
    assert answer.status_code == 200 and answer.json() == {"revoked": 1}
    assert not is_active(service, first["access_token"])
    assert not is_active(service, first["refresh_token"])
    assert is_active(service, second["access_token"])
    answer = call(service, "DELETE", "mirror|" + user, "/" + ids[0])
    assert_oauth_error(answer, 404, "not_found")


def test_delete_needs_the_right_user(service):
    mine, other = unique("user"), unique("user")
    tokens = grant(service, user=mine)
    grant(service, user=other)
    (token,) = listed(service, "mirror|" + mine)["tokens"]
    answer = call(service, "DELETE", "mirror|" + other, "/" + token["id"])
    assert_oauth_error(answer, 404, "not_found")
    for name in ("x", "0" * 16, tokens["access_token"],
                 tokens["access_token"][:16]):
        answer = call(service, "DELETE", "mirror|" + mine, "/" + name)
        assert_oauth_error(answer, 404, "not_found")
    assert is_active(service, tokens["access_token"])


def test_delete_all(service):
    user, bystander = unique("user"), grant(service, user=unique("user"))
    tokens = [grant(service, user=user) for _ in range(5)]
    answer = call(service, "DELETE", "mirror|" + user)
    assert answer.json() == {"revoked": 5}
    assert not any(is_active(service, t["access_token"]) for t in tokens)
    assert is_active(service, bystander["access_token"])
    assert listed(service, "mirror|" + user) == {"tokens": []}


def test_a_machine_is_no_user(service):
    answer = form(service, "/oauth/v1/token", "machine",
                  grant_type="client_credentials")
    assert answer.status_code == 200
    assert listed(service, "machine") == {"tokens": []}
    assert call(service, "DELETE", "machine").json() == {"revoked": 0}
    assert is_active(service, answer.json()["access_token"])


def test_a_users_name_is_decoded_once(service):
    user = "a/b%2Fc ?#" + unique()
    grant(service, user=user)
    assert len(listed(service, "mirror|" + user)["tokens"]) == 1
    assert listed(service, quote("mirror|" + user, safe="")) == {"tokens": []}


@pytest.mark.parametrize("path", ["%ff", "%00", "x" * 256])
def test_names_of_nobody(service, path):
    answer = requests.get(f"{service.url}{USERS}{path}/tokens",
                          auth=("people", SECRET), timeout=CALL_SECS)
    assert answer.status_code == 404 and answer.json()["error"] == "not_found"


@pytest.mark.parametrize("method, tail", [("GET", ""), ("DELETE", ""),
                                          ("DELETE", "/0123456789ABCDEF")])
@pytest.mark.parametrize("client, status, error", [
    (None, 401, "invalid_client"), ("nobody", 401, "invalid_client"),
    ("inspector", 403, "insufficient_permissions")])
def test_permission(service, method, tail, client, status, error):
    answer = call(service, method, "mirror|x", tail, client)
    assert_oauth_error(answer, status, error)


def test_stateless_and_profile_are_shown(service):
    user = unique("user")
    grant(service, "stateless", user=user, members={
        "grant_type":
            "urn:onewelcome:oauth2:grant_type:stateless_authentication"})
    (token,) = listed(service, "mirror|" + user)["tokens"]
    assert token["stateless"] and not token["refresh_token"]
    profile = unique("")[1:7].upper()
    grant(service, "takes-profile", user=user,
          members={"profile_id": profile})
    assert listed(service, "mirror|" + user)["tokens"][1][
        "profile_id"] == profile
