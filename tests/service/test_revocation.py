"""Revocation (RFC 7009)."""

import pytest
import requests

from harness.service import CALL_SECS
from harness.tokens import (REVOKE, UNKNOWN, assert_oauth_error, form, grant,
                            is_active, refresh, refreshed, revoke, token_realm,
                            userinfo)


@pytest.fixture(scope="module")
def realm():
    return token_realm()


@pytest.mark.parametrize("path", [REVOKE, "/oauth/revoke"])
def test_refresh_token_takes_its_access_tokens_along(service, path):
    """2.1: ... SHOULD also invalidate all access tokens of the same grant."""
    first = grant(service)
    second = refreshed(service, first["refresh_token"])
    answer = form(service, path, token=second["refresh_token"])
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    for token in (first["access_token"], second["access_token"],
                  second["refresh_token"]):
        assert not is_active(service, token)
    assert userinfo(service, first["access_token"]).status_code == 401


def test_a_rotated_refresh_token_too(service):
    first = grant(service)
    second = refreshed(service, first["refresh_token"])
    assert revoke(service, first["refresh_token"]).status_code == 200
    assert not is_active(service, second["access_token"])


@pytest.mark.parametrize("client", ["app", "jwt"])
def test_access_token_goes_alone(service, client):
    tokens = grant(service, client)
    assert revoke(service, tokens["access_token"], client).status_code == 200
    assert not is_active(service, tokens["access_token"])
    assert is_active(service, tokens["refresh_token"])
    refreshed(service, tokens["refresh_token"], client)


@pytest.mark.parametrize("token", [UNKNOWN, "x", "a.b.c", "A" * 5000])
def test_unknown_tokens_are_fine(service, token):
    """2.2: the server responds with 200 for an invalid token."""
    assert revoke(service, token).status_code == 200


def test_twice(service):
    token = grant(service)["refresh_token"]
    assert [revoke(service, token).status_code for _ in "12"] == [200, 200]


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "other"])
def test_any_hint(service, hint):
    """2.1: a wrong or unknown hint does not keep a token alive."""
    tokens = grant(service)
    answer = revoke(service, tokens["refresh_token"], token_type_hint=hint)
    assert answer.status_code == 200
    assert not is_active(service, tokens["access_token"])


def test_another_clients_token(service):
    """2.1: the request is refused and the client is informed of the error."""
    tokens = grant(service)
    for kind in ("access_token", "refresh_token"):
        assert_oauth_error(revoke(service, tokens[kind], "other"), 400,
                           "invalid_grant")
        assert is_active(service, tokens[kind])


# Section, client, fields, status, error.
REFUSED = {
    "2.1 token is REQUIRED": ("app", {}, 400, "invalid_request"),
    "2.1 the client authenticates": (None, {"token": UNKNOWN}, 401,
                                     "invalid_client"),
    "2.2.1 wrong credentials": ("nobody", {"token": UNKNOWN}, 401,
                                "invalid_client"),
    "an API client is no client": ("inspector", {"token": UNKNOWN}, 401,
                                   "invalid_client"),
}


@pytest.mark.parametrize("client, fields, status, error", REFUSED.values(),
                         ids=REFUSED.keys())
def test_refused(service, client, fields, status, error):
    assert_oauth_error(form(service, REVOKE, client, **fields), status, error)


def test_only_post(service):
    """2: no JSONP by GET."""
    answer = requests.get(service.url + REVOKE, timeout=CALL_SECS)
    assert_oauth_error(answer, 405, "invalid_request")


def test_survives_a_crash(start):
    service = start(token_realm())
    tokens = grant(service)
    assert revoke(service, tokens["refresh_token"]).status_code == 200
    service.gateway.kill()
    service.restart(service.gateway)
    assert not is_active(service, tokens["access_token"])
    assert_oauth_error(refresh(service, tokens["refresh_token"]), 400,
                       "invalid_grant")
