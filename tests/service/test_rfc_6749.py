"""RFC 6749 sections 5 (with what 2.3.1, 3.2, 4.4 and 6 say of the token
endpoint), sentence by sentence."""

import re

import pytest
import requests

from harness import oauth
from harness.oauth import (form, grant, is_active, refresh, refreshed, revoke,
                           token)
from harness.realm import SECRET
from harness.sentences import Sentences
from harness.service import CALL_SECS, assert_error, unique

ENDPOINT = "/oauth/v1/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

rfc = Sentences("RFC 6749")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


def assert_unauthorized(answer):
    assert_error(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].lower().startswith("basic")


# -- 2.3.1, 3.2 ---------------------------------------------------------------

@rfc("2.3.1", "MUST support the HTTP Basic authentication scheme")
def basic(service):
    assert token(service, "machine",
                 grant_type="client_credentials").status_code == 200


@rfc("2.3.1", "MAY support including the client credentials in the body")
def credentials_in_the_body(service):
    answer = form(service, ENDPOINT, {
        "grant_type": "client_credentials", "client_id": "machine",
        "client_secret": SECRET}, None)
    assert answer.status_code == 200, answer.text


@rfc("2.3.1", "the parameters MUST NOT be included in the request URI")
def credentials_in_the_uri(service):
    path = f"{ENDPOINT}?client_id=machine&client_secret={SECRET}"
    answer = form(service, path, {"grant_type": "client_credentials"}, None)
    assert_error(answer, 400, "invalid_request")


@rfc("3.2", "The client MUST use the HTTP POST method")
def post_only(service):
    for method in ("GET", "PUT", "DELETE"):
        answer = requests.request(method, service.url + ENDPOINT,
                                  auth=("machine", SECRET), timeout=CALL_SECS)
        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


@rfc("3.2", "Parameters sent without a value MUST be treated as if omitted")
def empty_parameters(service):
    answer = token(service, "machine", grant_type="client_credentials",
                   scope="")
    assert answer.status_code == 200, answer.text
    assert_error(token(service, "machine", grant_type=""), 400,
                 "invalid_request")


@rfc("3.2", "MUST ignore unrecognized request parameters")
def unknown_parameters(service):
    answer = token(service, "machine", grant_type="client_credentials",
                   unheard_of="x", resource_owner="y")
    assert answer.status_code == 200, answer.text


@rfc("3.2", "Request parameters MUST NOT be included more than once")
def repeated_parameters(service):
    for name in ("grant_type", "scope", "refresh_token", "client_id"):
        body = f"grant_type=client_credentials&{name}=a&{name}=a"
        answer = service.post(ENDPOINT, client="machine", data=body,
                              headers=FORM)
        assert_error(answer, 400, "invalid_request")


# -- 4.4, 5.1 -----------------------------------------------------------------

@rfc("4.4.2", "The authorization server MUST authenticate the client")
def client_credentials_unauthenticated(service):
    answer = form(service, ENDPOINT, {"grant_type": "client_credentials",
                                      "client_id": "machine"}, None)
    assert_error(answer, 401, "invalid_client")


@rfc("4.4.3", "A refresh token SHOULD NOT be included")
def no_refresh_token_for_a_client(service):
    body = token(service, "machine", grant_type="client_credentials").json()
    assert body["access_token"] and "refresh_token" not in body
    assert "id_token" not in body


def good_answers(service):
    app = refresh(service, grant(service)["refresh_token"])
    machine = token(service, "machine", grant_type="client_credentials")
    assert (app.status_code, machine.status_code) == (200, 200), app.text
    return [app, machine]


@rfc("5.1", "access_token, token_type REQUIRED")
def required_members(service):
    for answer in good_answers(service):
        assert answer.json()["access_token"]
        assert answer.json()["token_type"].lower() == "bearer"


@rfc("5.1", "expires_in RECOMMENDED. The lifetime in seconds (a number)")
def expires_in(service):
    for answer in good_answers(service):
        assert answer.json()["expires_in"] == 3600


@rfc("5.1", "scope OPTIONAL, if identical to the scope requested by the "
            "client; otherwise, REQUIRED")
def scope_told_where_it_differs(service):
    body = token(service, "machine", grant_type="client_credentials").json()
    assert body["scope"] == "read"
    first = grant(service, scope=["openid", "write"])["refresh_token"]
    body = refreshed(service, first, scope="write")
    assert body.get("scope", "write") == "write"


@rfc("5.1", "The parameters are included using the application/json media "
            "type")
def json(service):
    for answer in good_answers(service):
        assert answer.headers["Content-Type"] == (
            "application/json;charset=UTF-8")


@rfc("5.1", "MUST include Cache-Control with a value of no-store in any "
            "response containing tokens, as well as Pragma: no-cache")
def not_cached(service):
    for answer in good_answers(service):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"


# -- 5.2 ----------------------------------------------------------------------

# (what the sentence says, who asks, the form, error)
REFUSED_400 = [
    ("missing a required parameter", "machine", {}, "invalid_request"),
    ("missing a required parameter", "app",
     {"grant_type": "refresh_token"}, "invalid_request"),
    ("the grant type is not supported", "app",
     {"grant_type": "password", "username": "a", "password": "b"},
     "unsupported_grant_type"),
    ("the grant type is not supported", "app",
     {"grant_type": "authorization_code", "code": "x"},
     "unsupported_grant_type"),
    ("the grant type is not supported", "app",
     {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
      "assertion": "x"}, "unsupported_grant_type"),
    ("the grant type is not supported", "app",
     {"grant_type": "Refresh_Token", "refresh_token": "x"},
     "unsupported_grant_type"),
    ("the client is not authorized to use this grant type", "app",
     {"grant_type": "client_credentials"}, "unauthorized_client"),
    ("the refresh token is invalid", "app",
     {"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
    ("the refresh token is invalid", "app",
     {"grant_type": "refresh_token", "refresh_token": "A" * 64},
     "invalid_grant"),
    ("the refresh token is invalid", "app",
     {"grant_type": "refresh_token", "refresh_token": "é\u0000"},
     "invalid_grant"),
    ("the scope is unknown", "machine",
     {"grant_type": "client_credentials", "scope": "unheard-of"},
     "invalid_scope"),
    ("the scope is malformed", "machine",
     {"grant_type": "client_credentials", "scope": 'a"b'}, "invalid_scope"),
    ("the requested scope is not the client's", "machine",
     {"grant_type": "client_credentials", "scope": "secret"},
     "invalid_scope"),
]


@pytest.mark.parametrize("reason, client, fields, error", REFUSED_400)
def test_5_2_error(service, reason, client, fields, error):
    answer = token(service, client, **fields)
    assert answer.status_code == 400, (reason, answer.text)
    body = answer.json()
    if "\u0000" in fields.get("refresh_token", ""):
        assert body["error"] in (error, "invalid_request")
    else:
        assert_error(answer, 400, error)


@rfc("5.2", "invalid_request: includes multiple credentials, utilizes more "
            "than one mechanism for authenticating the client")
def two_mechanisms(service):
    fields = {"grant_type": "client_credentials", "client_id": "machine",
              "client_secret": SECRET}
    assert_error(form(service, ENDPOINT, fields, "machine"), 400,
                 "invalid_request")


@rfc("5.2", "invalid_request: is otherwise malformed")
def malformed(service):
    for body in ("grant_type=%zz", "grant_type=%", "%ff=a&grant_type=x"):
        answer = service.post(ENDPOINT, client="machine", data=body,
                              headers=FORM)
        assert_error(answer, 400, "invalid_request")


@rfc("5.2", "invalid_client: unknown client, no client authentication "
            "included, or unsupported authentication method")
def invalid_client(service):
    fields = {"grant_type": "client_credentials"}
    for client in (unique("nobody"), "disabled"):
        assert_unauthorized(form(service, ENDPOINT, fields, client))
    answer = form(service, ENDPOINT, fields, None)
    assert_error(answer, 401, "invalid_client")
    for value in ("Digest username=machine", "Bearer abc", "Basic !!!"):
        answer = form(service, ENDPOINT, fields, None,
                      headers={"Authorization": value})
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] in ("invalid_client", "invalid_request")


@rfc("5.2", "If the client attempted to authenticate via the Authorization "
            "field, MUST respond with 401 and include WWW-Authenticate "
            "matching the scheme used by the client")
def unauthorized(service):
    answer = form(service, ENDPOINT, {"grant_type": "client_credentials"},
                  None, auth=("machine", "wrong"))
    assert_unauthorized(answer)


@rfc("5.2", "invalid_grant: the refresh token is revoked")
def revoked(service):
    text = grant(service)["refresh_token"]
    assert revoke(service, text).status_code == 200
    assert_error(refresh(service, text), 400, "invalid_grant")


@rfc("5.2", "invalid_grant: was issued to another client")
def another_clients(service):
    text = grant(service)["refresh_token"]
    assert_error(refresh(service, text, "other"), 400, "invalid_grant")
    refreshed(service, text)


@rfc("5.2", "invalid_grant: an access token is no refresh token")
def an_access_token(service):
    for client in ("app", "jwt"):
        text = grant(service, client)["access_token"]
        assert_error(refresh(service, text, client), 400, "invalid_grant")


@rfc("5.2", "Values for error and error_description MUST NOT include "
            "characters outside the set %x20-21 / %x23-5B / %x5D-7E")
def characters_of_errors(service):
    for fields in ({"grant_type": 'a"b\\cü'}, {"scope": 'x"\\'},
                   {"grant_type": "refresh_token", "refresh_token": '"'},
                   {"grant_type": "client_credentials", "scope": 'ü"\\'}):
        body = token(service, "machine", **fields).json()
        for name in ("error", "error_description"):
            assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", body[name])


# -- 6 ------------------------------------------------------------------------

@rfc("6", "The requested scope MUST NOT include any scope not originally "
          "granted, and if omitted is treated as equal to it")
def scope_of_a_refresh(service):
    text = grant(service, scope=["openid", "write"])["refresh_token"]
    assert_error(refresh(service, text, scope="openid read"), 400,
                 "invalid_scope")
    access = refreshed(service, text)["access_token"]
    scope = oauth.introspected(service, access)["scope"]
    assert set(scope.split()) == {"openid", "write"}


@rfc("6", "If a new refresh token is issued, its scope MUST be identical to "
          "that of the one included in the request")
def narrowing_is_for_once(service):
    text = grant(service, scope=["openid", "write"])["refresh_token"]
    narrow = refreshed(service, text, scope="write")
    assert oauth.introspected(
        service, narrow["access_token"])["scope"] == "write"
    assert "id_token" not in narrow
    wide = refreshed(service, narrow["refresh_token"])
    scope = oauth.introspected(service, wide["access_token"])["scope"]
    assert set(scope.split()) == {"openid", "write"}


@rfc("6", "MUST require client authentication")
def refresh_unauthenticated(service):
    text = grant(service)["refresh_token"]
    for fields in ({}, {"client_id": "app"}):
        answer = form(service, ENDPOINT, {
            "grant_type": "refresh_token", "refresh_token": text,
            **fields}, None)
        assert_error(answer, 401, "invalid_client")
    refreshed(service, text)


@rfc("10.4", "MUST ensure that refresh tokens cannot be generated, modified "
             "or guessed")
def modified(service):
    tokens = grant(service)
    text = tokens["refresh_token"]
    for at in range(0, len(text), 7):
        turned = "1" if text[at] == "0" else "0"
        assert_error(refresh(service, text[:at] + turned + text[at + 1:]),
                     400, "invalid_grant")
    assert is_active(service, tokens["access_token"])
    refreshed(service, text)


test_sentence = rfc.test()
