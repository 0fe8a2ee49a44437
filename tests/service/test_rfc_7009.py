"""RFC 7009 section 2, token revocation, sentence by sentence."""

import pytest
import requests

from harness import oauth
from harness.oauth import (form, grant, is_active, refresh, refreshed, revoke,
                           token)
from harness.realm import SECRET
from harness.sentences import Sentences
from harness.service import CALL_SECS, assert_error, unique

ENDPOINT = "/oauth/v1/revoke"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

rfc = Sentences("RFC 7009")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


def assert_revoked(service, text, **options):
    answer = revoke(service, text, **options)
    assert answer.status_code == 200, answer.text
    assert not is_active(service, text)


@rfc("2", "Implementations MUST support the revocation of refresh tokens")
def refresh_tokens(service):
    for client in ("app", "jwt"):
        text = grant(service, client)["refresh_token"]
        assert_revoked(service, text, client=client)
        assert_error(refresh(service, text, client), 400, "invalid_grant")


@rfc("2", "and SHOULD support the revocation of access tokens")
def access_tokens(service):
    for client in ("app", "jwt"):
        text = grant(service, client)["access_token"]
        assert_revoked(service, text, client=client)
    text = token(service, "machine",
                 grant_type="client_credentials").json()["access_token"]
    assert_revoked(service, text, client="machine")


@rfc("2.1", "The client requests ... using the POST method")
def post_only(service):
    answer = requests.get(service.url + ENDPOINT, auth=("app", SECRET),
                          params={"token": "x"}, timeout=CALL_SECS)
    assert answer.status_code == 405


@rfc("2.1", "using the application/x-www-form-urlencoded format")
def form_only(service):
    answer = service.post(ENDPOINT, {"token": "x"})
    assert_error(answer, 415, "invalid_request")


@rfc("2.1", "token REQUIRED")
def token_is_required(service):
    assert_error(form(service, ENDPOINT, {}), 400, "invalid_request")
    assert_error(revoke(service, ""), 400, "invalid_request")


@rfc("2.1", "If the server is unable to locate the token using the given "
            "hint, it MUST extend its search across all of its token types")
def wrong_hint(service):
    tokens = grant(service)
    assert_revoked(service, tokens["access_token"],
                   token_type_hint="refresh_token")
    assert_revoked(service, tokens["refresh_token"],
                   token_type_hint="access_token")


@rfc("2.1", "An authorization server MAY ignore this parameter")
def unknown_hint(service):
    assert_revoked(service, grant(service)["access_token"],
                   token_type_hint="of a kind nobody knows")


@rfc("2.1", "the authorization server first validates the client credentials")
def credentials(service):
    text = grant(service)["refresh_token"]
    for client, secret in (("app", "wrong"), (unique("nobody"), SECRET),
                           ("disabled", SECRET)):
        answer = form(service, ENDPOINT, {"token": text}, None,
                      auth=(client, secret))
        assert_error(answer, 401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert_error(form(service, ENDPOINT, {"token": text}, None), 401,
                 "invalid_client")
    assert is_active(service, text)


@rfc("2.1", "and then verifies whether the token was issued to the client; if "
            "this validation fails, the request is refused and the client is "
            "informed of the error")
def another_clients(service):
    tokens = grant(service)
    for text in (tokens["access_token"], tokens["refresh_token"]):
        answer = revoke(service, text, "other")
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_grant", "invalid_request",
                                          "unauthorized_client")
        assert is_active(service, text)


@rfc("2.1", "The invalidation takes place immediately, and the token cannot "
            "be used again after the revocation")
def immediately(service):
    for _ in range(20):
        tokens = grant(service)
        assert oauth.userinfo(
            service, tokens["access_token"]).status_code == 200
        assert revoke(service, tokens["access_token"]).status_code == 200
        assert oauth.userinfo(
            service, tokens["access_token"]).status_code == 401


@rfc("2.1", "If the token is a refresh token, the server SHOULD also "
            "invalidate all access tokens based on the same grant")
def family(service):
    first = grant(service)
    second = refreshed(service, first["refresh_token"])
    third = refreshed(service, second["refresh_token"])
    bystander = grant(service)
    assert revoke(service, third["refresh_token"]).status_code == 200
    for tokens in (first, second, third):
        assert not is_active(service, tokens["access_token"])
    assert is_active(service, bystander["access_token"])


@rfc("2.1", "If the token is an access token, the server MAY revoke the "
            "refresh token as well (this one does not)")
def refresh_token_survives(service):
    tokens = grant(service)
    assert revoke(service, tokens["access_token"]).status_code == 200
    again = refreshed(service, tokens["refresh_token"])
    assert is_active(service, again["access_token"])


@rfc("2.2", "responds with HTTP status code 200 if the token has been revoked "
            "successfully or if the client submitted an invalid token")
def invalid_tokens(service):
    revoked = grant(service)["access_token"]
    assert revoke(service, revoked).status_code == 200
    for text in (revoked, "x", "0" * 64, "F" * 64, "a.b.c", "é", "A" * 5000):
        assert revoke(service, text).status_code == 200, text


@rfc("2.2.1", "The error response conforms to section 5.2 of RFC 6749")
def malformed(service):
    for body in ("token=%zz", "token=a&token=b", "token"):
        answer = service.post(ENDPOINT, data=body, headers=FORM)
        assert_error(answer, 400, "invalid_request")


test_sentence = rfc.test()


def test_the_second_path_is_the_same(service):
    text = grant(service)["access_token"]
    assert form(service, "/oauth/revoke",
                {"token": text}).status_code == 200
    assert not is_active(service, text)
