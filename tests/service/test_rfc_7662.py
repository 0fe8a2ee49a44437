"""RFC 7662 section 2, token introspection (and RFC 9701, its signed answer),
sentence by sentence."""

import time

import pytest
import requests

from harness import oauth
from harness.oauth import (INTROSPECTION_JWT, form, grant, introspect,
                           introspected, issuer, refreshed, revoke, token,
                           verified)
from harness.realm import SECRET
from harness.sentences import Sentences
from harness.service import CALL_SECS, assert_error, unique

ENDPOINT = "/oauth/api/v2/token/introspect"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

rfc = Sentences("RFC 7662")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


def kinds(service):
    """A live token of every kind, with the client it is of."""
    app, jwt = grant(service), grant(service, "jwt")
    machine = token(service, "machine", grant_type="client_credentials").json()
    return [("app", app["access_token"]), ("jwt", jwt["access_token"]),
            ("app", app["refresh_token"]), ("jwt", jwt["refresh_token"]),
            ("machine", machine["access_token"])]


@rfc("2.1", "using an HTTP POST request with parameters sent as "
            "application/x-www-form-urlencoded")
def post_of_a_form(service):
    answer = requests.get(service.url + ENDPOINT, params={"token": "x"},
                          auth=("inspector", SECRET), timeout=CALL_SECS)
    assert answer.status_code == 405
    answer = service.post(ENDPOINT, {"token": "x"}, "inspector")
    assert_error(answer, 415, "invalid_request")


@rfc("2.1", "token REQUIRED")
def token_is_required(service):
    assert_error(form(service, ENDPOINT, {}, "inspector"), 400,
                 "invalid_request")
    answer = service.post(ENDPOINT, client="inspector", headers=FORM,
                          data="token=a&token=b")
    assert_error(answer, 400, "invalid_request")


@rfc("2.1", "If the server is unable to locate the token using the given "
            "hint, it MUST extend its search")
def hints(service):
    tokens = grant(service)
    for hint in ("access_token", "refresh_token", "unheard of", ""):
        for name in ("access_token", "refresh_token"):
            assert introspected(service, tokens[name],
                                token_type_hint=hint)["active"]


@rfc("2.1", "MUST also require some form of authorization to access this "
            "endpoint")
def authorized(service):
    text = grant(service)["access_token"]
    assert_error(form(service, ENDPOINT, {"token": text}, None), 401,
                 "invalid_client")
    answer = introspect(service, text, "backend")
    assert_error(answer, 403, "insufficient_permissions")
    for client in ("app", unique("nobody")):
        assert introspect(service, text, client).status_code == 401


@rfc("2.2", "responds with a JSON object in application/json format")
def json_object(service):
    answer = introspect(service, grant(service)["access_token"])
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert isinstance(answer.json(), dict)


@rfc("2.2", "active REQUIRED. Boolean")
def active(service):
    for _, text in kinds(service):
        assert introspected(service, text)["active"] is True


@rfc("2.2", "scope: a space-separated list of scopes")
def scope(service):
    for client in ("app", "jwt"):
        text = grant(service, client, ["write", "openid"])["access_token"]
        assert set(introspected(service, text)["scope"].split()) == {
            "write", "openid"}


@rfc("2.2", "client_id: client that requested this token")
def client_id(service):
    for client, text in kinds(service):
        assert introspected(service, text)["client_id"] == client


@rfc("2.2", "token_type: as defined in section 5.1 of OAuth 2.0")
def token_type(service):
    tokens = grant(service)
    body = introspected(service, tokens["access_token"])
    assert body["token_type"].lower() == "bearer"
    assert "token_type" not in introspected(service, tokens["refresh_token"])


@rfc("2.2", "exp, iat: integer timestamp, seconds since January 1 1970 UTC")
def times(service):
    before = int(time.time())
    for _, text in kinds(service):
        body = introspected(service, text)
        assert before - 1 <= body["iat"] <= time.time() + 1
        assert body["exp"] > body["iat"]
    body = introspected(service, grant(service)["access_token"])
    assert body["exp"] - body["iat"] == 3600


@rfc("2.2", "sub: usually a machine-readable identifier of the resource owner")
def sub(service):
    for client in ("app", "jwt"):
        text = grant(service, client, user="jane")["access_token"]
        assert introspected(service, text)["sub"] == "mirror|jane"


@rfc("2.2", "iss: string representing the issuer of this token")
def iss(service):
    text = grant(service)["access_token"]
    assert introspected(service, text)["iss"] == issuer(service)


@rfc("2.2", "jti: string identifier for the token")
def jti(service):
    text = grant(service, "jwt")["access_token"]
    _, claims = verified(service, text)
    assert introspected(service, text)["jti"] == claims["jti"]


@rfc("2.2", "MAY extend this structure with their own members (user_details, "
            "amr)")
def extensions(service):
    for client in ("app", "jwt"):
        tokens = grant(service, client, ["read"], amr=["mfa"], given_name="J")
        for name in ("access_token", "refresh_token"):
            body = introspected(service, tokens[name])
            assert body["user_details"]["given_name"] == "J"
            assert body["amr"] == ["mfa"]


@rfc("2.2", "the token is not active, does not exist on this server: MUST "
            "return active false; SHOULD NOT include any additional "
            "information about an inactive token")
def inactive(service):
    tokens, jwt = grant(service), grant(service, "jwt")
    used = grant(service)["refresh_token"]
    refreshed(service, used)
    assert revoke(service, tokens["access_token"]).status_code == 200
    assert revoke(service, jwt["access_token"], "jwt").status_code == 200
    for text in ("x", "F" * 64, "a.b.c", "é", tokens["access_token"],
                 jwt["access_token"], used, tokens["id_token"],
                 jwt["id_token"]):
        answer = introspect(service, text)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"active": False}, text


@rfc("2.3", "if the credentials are invalid: 401 as in section 5.2 of OAuth "
            "2.0")
def wrong_credentials(service):
    answer = form(service, ENDPOINT, {"token": "x"}, None,
                  auth=("inspector", "wrong"))
    assert_error(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@rfc("2.3", "a query for an inactive token is not considered an error")
def no_error(service):
    assert introspect(service, "unknown").status_code == 200


@rfc("9701 5", "typ token-introspection+jwt; iss, aud, iat, "
               "token_introspection; no sub or exp at the top")
def signed(service):
    for _, text in kinds(service):
        answer = introspect(service, text,
                            headers={"Accept": INTROSPECTION_JWT})
        assert answer.headers["Content-Type"].startswith(INTROSPECTION_JWT)
        header, claims = verified(service, answer.text)
        assert header["typ"] == "token-introspection+jwt"
        assert claims["iss"] == issuer(service)
        assert claims["aud"] == "inspector"
        assert abs(claims["iat"] - time.time()) < 60
        assert not {"sub", "exp"} & set(claims)
        assert claims["token_introspection"] == introspected(service, text)


@rfc("9701 5", "of an inactive token: active false alone")
def signed_inactive(service):
    answer = introspect(service, "x", headers={"Accept": INTROSPECTION_JWT})
    _, claims = verified(service, answer.text)
    assert claims["token_introspection"] == {"active": False}


test_sentence = rfc.test()


def test_v1_tells_the_seconds_left(service):
    text = grant(service)["access_token"]
    body = introspected(service, text, version=1)
    assert 3500 < body["exp"] <= 3600


def test_a_token_is_active_until_its_exp(start):
    service = start(oauth.oauth_realm())
    tokens = grant(service)
    oauth.let_time_pass(service, 3500)
    assert introspected(service, tokens["access_token"])["active"]
    oauth.let_time_pass(service, 100)
    assert introspected(service, tokens["access_token"]) == {"active": False}
    assert introspected(service, tokens["refresh_token"])["active"]
    assert oauth.userinfo(service, tokens["access_token"]).status_code == 401
