"""Introspection: RFC 7662, v1, and the signed answer of RFC 9701."""

import time

import pytest
import requests

from harness.realm import SECRET
from harness.service import CALL_SECS
from harness.tokens import (INTROSPECT, UNKNOWN, assert_oauth_error, form,
                            grant, introspect, let_time_pass, refreshed,
                            revoke, token_realm, verified)

V1 = "/oauth/api/v1/token/introspect"
JWT = "application/token-introspection+jwt"


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def test_active_access_token(service):
    """2.2: the members."""
    token = grant(service, name="Jane", amr=["mfa", "pwd"])["access_token"]
    told = introspect(service, token)
    assert 3590 < told.pop("exp") - time.time() <= 3600
    assert abs(told.pop("iat") - time.time()) < 10
    assert told == {
        "active": True, "scope": "read openid", "client_id": "app",
        "sub": "mirror|jane", "token_type": "bearer",
        "iss": service.url + "/oauth", "amr": ["mfa", "pwd"],
        "user_details": {"name": "Jane"}}


def test_active_refresh_token(service):
    token = grant(service)["refresh_token"]
    told = introspect(service, token, token_type_hint="refresh_token")
    assert told["active"] and told["sub"] == "mirror|jane"
    assert "token_type" not in told  # RFC 6749 5.1 has none for it
    assert told["exp"] - time.time() > 86400


def test_v1_counts_seconds_left(service):
    token = grant(service)["access_token"]
    told = introspect(service, token, V1)
    assert 3590 < told["exp"] <= 3600
    assert told["active"] and told["user_details"] == {}


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_any_hint(service, hint):
    """2.1: the server MUST extend its search over all token types."""
    tokens = grant(service)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert introspect(service, token, token_type_hint=hint)["active"]


def dead_tokens(service):
    rotated = grant(service)
    refreshed(service, rotated["refresh_token"])
    revoked = grant(service)
    assert revoke(service, revoked["refresh_token"]).status_code == 200
    return {
        "unknown": UNKNOWN, "not a token": "x", "spaces": "  a  ",
        "a JWT's form": "a.b.c", "dots": ".." * 40, "long": "A" * 100000,
        "an id_token": grant(service)["id_token"],
        "rotated": rotated["refresh_token"],
        "revoked refresh": revoked["refresh_token"],
        "revoked access": revoked["access_token"]}


def test_dead_tokens_all_look_alike(service):
    """2.2: no additional information about an inactive token."""
    for name, token in dead_tokens(service).items():
        for path in (INTROSPECT, V1):
            assert introspect(service, token, path) == {"active": False}, name


def test_expired(start):
    service = start(token_realm())
    token = grant(service)["access_token"]
    assert introspect(service, token)["active"]
    let_time_pass(service, 3601)
    assert introspect(service, token) == {"active": False}


# Section, client, fields, status, error.
REFUSED = {
    "2.1 token is REQUIRED":
        ("inspector", {}, 400, "invalid_request"),
    "2.1 empty token":
        ("inspector", {"token": ""}, 400, "invalid_request"),
    "2.3 wrong credentials":
        ("nobody", {"token": UNKNOWN}, 401, "invalid_client"),
    "2.1 the endpoint MUST require authorization":
        (None, {"token": UNKNOWN}, 401, "invalid_client"),
    "a client is no API client":
        ("app", {"token": UNKNOWN}, 401, "invalid_client"),
    "API client without token_introspection":
        ("backend", {"token": UNKNOWN}, 403, "insufficient_permissions"),
}


@pytest.mark.parametrize("client, fields, status, error", REFUSED.values(),
                         ids=REFUSED.keys())
def test_refused(service, client, fields, status, error):
    assert_oauth_error(form(service, INTROSPECT, client, **fields), status,
                       error)


def test_form_credentials(service):
    token = grant(service)["access_token"]
    assert introspect(service, token, client=None, client_id="inspector",
                      client_secret=SECRET)["active"]


def signed(service, token, accept=JWT):
    return requests.post(service.url + INTROSPECT, data={"token": token},
                         auth=("inspector", SECRET), timeout=CALL_SECS,
                         headers={"Accept": accept})


@pytest.mark.parametrize("accept", [JWT, f"text/plain, {JWT};q=0.9"])
def test_signed_answer(service, accept):
    """RFC 9701 5: media type, typ, iss, aud, iat, token_introspection."""
    token = grant(service, name="Jane")["access_token"]
    answer = signed(service, token, accept)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == JWT
    assert answer.headers["Cache-Control"] == "no-store"
    header, claims = verified(service, answer.text)
    assert header["typ"] == "token-introspection+jwt"
    assert set(claims) == {"iss", "aud", "iat", "token_introspection"}
    assert claims["iss"] == service.url + "/oauth"
    assert claims["aud"] == "inspector"
    assert claims["token_introspection"] == introspect(service, token)


def test_signed_answer_about_nothing(service):
    """RFC 9701 5: an inactive token has the member active only."""
    _, claims = verified(service, signed(service, UNKNOWN).text)
    assert claims["token_introspection"] == {"active": False}


@pytest.mark.parametrize("accept", ["*/*", "application/json",
                                    "application/*", JWT + "x"])
def test_json_unless_asked(service, accept):
    answer = signed(service, UNKNOWN, accept)
    assert answer.json() == {"active": False}


def test_a_signed_answer_is_no_token(service):
    answer = signed(service, grant(service)["access_token"])
    assert introspect(service, answer.text) == {"active": False}
