"""UserInfo: OIDC Core 5.3, errors of RFC 6750."""

import pytest
import requests

from harness.service import CALL_SECS
from harness.tokens import (UNKNOWN, USERINFO, assert_oauth_error, grant,
                            revoke, token_realm, userinfo)


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def ask(service, method="GET", headers=None, **options):
    return requests.request(method, service.url + USERINFO, headers=headers,
                            timeout=CALL_SECS, **options)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_claims(service, method):
    """5.3.1 and 5.3.2: GET and POST; sub and the user's claims."""
    token = grant(service, name="Jane", nested={"a": [1, "ü"]},
                  amr=["pwd"])["access_token"]
    answer = userinfo(service, token, method)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json() == {"sub": "mirror|jane", "name": "Jane",
                             "nested": {"a": [1, "ü"]}}


def test_no_claims_but_sub(service):
    """5.3.2: the sub Claim MUST always be returned."""
    token = grant(service)["access_token"]
    assert userinfo(service, token).json() == {"sub": "mirror|jane"}


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_scheme(service, scheme):
    """RFC 9110 11.1: the scheme is case-insensitive."""
    token = grant(service)["access_token"]
    answer = ask(service, headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 200, answer.text


def test_form_body(service):
    """RFC 6750 2.2: access_token in a form."""
    token = grant(service)["access_token"]
    answer = ask(service, "POST", data={"access_token": token})
    assert answer.json()["sub"] == "mirror|jane"


def test_two_ways_at_once(service):
    """RFC 6750 2: not more than one method in each request."""
    token = grant(service)["access_token"]
    answer = ask(service, "POST", {"Authorization": f"Bearer {token}"},
                 data={"access_token": token})
    assert_oauth_error(answer, 400, "invalid_request")
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("headers", [
    None, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"},
    {"Authorization": "Bearerx"}])
def test_no_authentication(service, headers):
    """RFC 6750 3.1: then no error code in the challenge."""
    answer = ask(service, headers=headers)
    assert_oauth_error(answer, 401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="postern"'


def test_query_is_not_looked_at(service):
    """RFC 6750 2.3: tokens in the URI end up in logs."""
    token = grant(service)["access_token"]
    answer = ask(service, params={"access_token": token})
    assert_oauth_error(answer, 401, "invalid_token")


def test_invalid_tokens(service):
    """RFC 6750 3.1: invalid_token, 401."""
    tokens = grant(service)
    revoked = grant(service)["access_token"]
    assert revoke(service, revoked).status_code == 200
    for token in (UNKNOWN, "x", "a.b.c", tokens["refresh_token"],
                  tokens["id_token"], revoked):
        answer = userinfo(service, token)
        assert_oauth_error(answer, 401, "invalid_token")
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="postern", ')
        assert 'error="invalid_token"' in challenge


def test_insufficient_scope(service):
    """RFC 6750 3.1: insufficient_scope, 403, and the scope needed."""
    token = grant(service, scope=["read"])["access_token"]
    answer = userinfo(service, token)
    assert_oauth_error(answer, 403, "insufficient_scope")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="postern", error="insufficient_scope", scope="openid"')


def test_jwt_access_token(service):
    token = grant(service, "jwt", name="Jane")["access_token"]
    assert userinfo(service, token).json()["name"] == "Jane"
    assert revoke(service, token, "jwt").status_code == 200
    assert_oauth_error(userinfo(service, token), 401, "invalid_token")


def test_the_users_word_is_sealed(service):
    grant(service, secretive="unmistakable-attribute")
    for path in service.data_dir.rglob("*"):
        if path.is_file():
            assert b"unmistakable-attribute" not in path.read_bytes(), path
