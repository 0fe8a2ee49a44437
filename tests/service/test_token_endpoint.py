"""The token endpoint: requests, client credentials, errors (RFC 6749)."""

import base64
import json
import time
import uuid

import pytest
import requests
from jwcrypto import jwk, jwt

from harness.realm import SECRET
from harness.service import CALL_SECS
from harness.tokens import (TOKEN, UNKNOWN, USERINFO, assert_oauth_error, form,
                            grant, introspect, token_realm, userinfo, verified)
from harness.wait import until


class Signer:
    """A client that authenticates by private_key_jwt."""

    def __init__(self):
        self.key = jwk.JWK.generate(kty="EC", crv="P-256", kid="one",
                                    use="sig", alg="ES256")

    def fields(self, audience):
        now = int(time.time())
        token = jwt.JWT(
            header={"alg": "ES256", "kid": "one"},
            claims={"iss": "signer", "sub": "signer", "aud": audience,
                    "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex})
        token.make_signed_token(self.key)
        return {"client_assertion": token.serialize(),
                "client_assertion_type": "urn:ietf:params:oauth:"
                                         "client-assertion-type:jwt-bearer"}


signer = Signer()


@pytest.fixture(scope="module")
def realm():
    realm = token_realm()
    realm.client("signer", grants=["client_credentials"],
                 default_scopes=["read"], jwks={"keys": [
                     json.loads(signer.key.export_public())]})
    return realm


def credentials(service, client="machine", path=TOKEN, **fields):
    return form(service, path, client, grant_type="client_credentials",
                **fields)


# One row a sentence: section, fields, client, status, error.
REFUSED = {
    "5.2 missing a required parameter":
        ({}, "app", 400, "invalid_request"),
    "5.2 refresh_token missing":
        ({"grant_type": "refresh_token"}, "app", 400, "invalid_request"),
    "3.2 a parameter without a value is treated as omitted":
        ({"grant_type": "", "refresh_token": "x"}, "app", 400,
         "invalid_request"),
    "5.2 unsupported grant type":
        ({"grant_type": "urn:example:other"}, "app", 400,
         "unsupported_grant_type"),
    "4.3 password is not offered":
        ({"grant_type": "password", "username": "a", "password": "b"}, "app",
         400, "unsupported_grant_type"),
    "4.1 authorization_code is not offered":
        ({"grant_type": "authorization_code", "code": "x"}, "app", 400,
         "unsupported_grant_type"),
    "5.2 client authentication failed":
        ({"grant_type": "client_credentials"}, "unknown", 401,
         "invalid_client"),
    "5.2 client authentication not included":
        ({"grant_type": "client_credentials"}, None, 401, "invalid_client"),
    "5.2 disabled client":
        ({"grant_type": "client_credentials"}, "disabled", 401,
         "invalid_client"),
    "5.2 client not authorised for the grant type":
        ({"grant_type": "client_credentials"}, "app", 400,
         "unauthorized_client"),
    "6 refresh not enabled for the client":
        ({"grant_type": "refresh_token", "refresh_token": UNKNOWN},
         "no-refresh", 400, "invalid_grant"),
    "5.2 invalid_grant: unknown token":
        ({"grant_type": "refresh_token", "refresh_token": UNKNOWN}, "app", 400,
         "invalid_grant"),
    "5.2 invalid_grant: not even the form of a token":
        ({"grant_type": "refresh_token", "refresh_token": "x y"}, "app", 400,
         "invalid_grant"),
    "5.2 invalid_scope: unknown":
        ({"grant_type": "client_credentials", "scope": "nothing"}, "machine",
         400, "invalid_scope"),
    "5.2 invalid_scope: malformed":
        ({"grant_type": "client_credentials", "scope": "read\twrite"},
         "machine", 400, "invalid_scope"),
    "3.3 no scope asked for and no default":
        ({"grant_type": "client_credentials"}, "no-scope", 400,
         "invalid_scope"),
    "OIDC: openid needs a user":
        ({"grant_type": "client_credentials", "scope": "read openid"},
         "machine", 400, "invalid_scope"),
}


@pytest.mark.parametrize("fields, client, status, error", REFUSED.values(),
                         ids=REFUSED.keys())
def test_refused(service, fields, client, status, error):
    assert_oauth_error(form(service, TOKEN, client, **fields), status, error)


def test_401_names_the_scheme(service):
    """5.2: WWW-Authenticate matching the scheme used by the client."""
    answer = form(service, TOKEN, "unknown", grant_type="client_credentials")
    assert answer.headers["WWW-Authenticate"].startswith(
        'Basic realm="postern"')


@pytest.mark.parametrize("body", ["grant_type=a&grant_type=a", "a=%zz"])
def test_malformed_forms(service, body):
    """3.2: parameters must not be included more than once."""
    answer = requests.post(
        service.url + TOKEN, data=body, auth=("app", SECRET),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=CALL_SECS)
    assert_oauth_error(answer, 400, "invalid_request")


def test_json_is_not_taken(service):
    """3.2: parameters come as application/x-www-form-urlencoded."""
    answer = requests.post(service.url + TOKEN, auth=("app", SECRET),
                           json={"grant_type": "refresh_token"},
                           timeout=CALL_SECS)
    assert_oauth_error(answer, 415, "invalid_request")


def test_only_post(service):
    """3.2: the client MUST use POST."""
    answer = requests.get(service.url + TOKEN, timeout=CALL_SECS)
    assert_oauth_error(answer, 405, "invalid_request")
    assert answer.headers["Allow"] == "POST"


def test_two_methods_at_once(service):
    """2.3: not more than one authentication method in each request."""
    answer = credentials(service, client_id="machine", client_secret=SECRET)
    assert_oauth_error(answer, 400, "invalid_request")


def test_credentials_in_the_query(service):
    """2.3.1: credentials MUST NOT be included in the request URI."""
    answer = form(service, f"{TOKEN}?client_id=machine&client_secret={SECRET}",
                  None, grant_type="client_credentials")
    assert_oauth_error(answer, 400, "invalid_request")


@pytest.mark.parametrize("path", [TOKEN, "/oauth/token"])
def test_client_credentials(service, path):
    """4.4.3 and 5.1: the answer; no refresh token."""
    answer = credentials(service, path=path, scope="write read")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 3600
    assert body["scope"] == "write read"


def test_client_secret_post(service):
    answer = form(service, TOKEN, None, grant_type="client_credentials",
                  client_id="machine", client_secret=SECRET)
    assert answer.status_code == 200, answer.text


def test_a_machines_token_is_active_and_nobodys(service):
    body = credentials(service).json()
    assert body["scope"] == "read"  # openid needs a user
    told = introspect(service, body["access_token"])
    assert told["active"] and told["client_id"] == told["sub"] == "machine"
    assert "user_details" not in told and "amr" not in told
    answer = userinfo(service, body["access_token"])
    assert_oauth_error(answer, 403, "insufficient_scope")


def test_a_machines_jwt(service):
    """RFC 9068 2.2: sub is the client where no resource owner is involved."""
    token = credentials(service, "machine-jwt").json()["access_token"]
    header, claims = verified(service, token)
    assert header["typ"] == "at+jwt"
    assert claims["sub"] == claims["client_id"] == "machine-jwt"
    assert "auth_time" not in claims and "amr" not in claims


def test_what_was_decided_is_counted_and_logged(service):
    before = service.count("postern_token_requests_total", endpoint="token",
                           outcome="issued")
    answer = credentials(service)
    assert service.count("postern_token_requests_total", endpoint="token",
                         outcome="issued") == before + 1
    entries = until(lambda: [
        entry for entry in service.log_of(answer.headers["X-Correlation-Id"])
        if entry["event"] == "token decision"], "the log line")
    assert len(entries) == 1
    assert entries[0]["outcome"] == "issued"
    assert entries[0]["client"] == "machine"
    assert answer.json()["access_token"] not in service.gateway.log_text()


def test_an_access_token_refreshes_nothing(service):
    token = grant(service)["access_token"]
    answer = form(service, TOKEN, grant_type="refresh_token",
                  refresh_token=token)
    assert_oauth_error(answer, 400, "invalid_grant")


def test_no_token_is_a_client_secret(service):
    """A bearer token in Authorization is no client authentication."""
    token = grant(service)["access_token"]
    answer = requests.post(service.url + TOKEN, timeout=CALL_SECS,
                           headers={"Authorization": f"Bearer {token}"},
                           data={"grant_type": "client_credentials"})
    assert_oauth_error(answer, 401, "invalid_client")
    basic = base64.b64encode(f"app:{token}".encode()).decode()
    answer = requests.get(service.url + USERINFO, timeout=CALL_SECS,
                          headers={"Authorization": f"Basic {basic}"})
    assert_oauth_error(answer, 401, "invalid_token")


def test_private_key_jwt(service):
    """RFC 7523 2.2: an assertion whose audience is this endpoint."""
    fields = signer.fields(service.url + TOKEN)
    answer = form(service, TOKEN, None, grant_type="client_credentials",
                  **fields)
    assert answer.status_code == 200, answer.text
    assert_oauth_error(form(service, TOKEN, None, **fields,
                            grant_type="client_credentials"), 401,
                       "invalid_client")  # 3: the jti was used


def test_assertion_and_secret(service):
    """RFC 6749 2.3: not more than one method."""
    answer = form(service, TOKEN, None, grant_type="client_credentials",
                  client_secret=SECRET, **signer.fields(service.url + TOKEN))
    assert_oauth_error(answer, 400, "invalid_request")


def test_an_assertion_for_somebody_else(service):
    """RFC 7523 3: the audience must be this server."""
    answer = form(service, TOKEN, None, grant_type="client_credentials",
                  **signer.fields("https://other.example/token"))
    assert_oauth_error(answer, 401, "invalid_client")
