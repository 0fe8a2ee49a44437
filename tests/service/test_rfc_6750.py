"""RFC 6750 sections 2 and 3 at UserInfo, sentence by sentence."""

import re

import pytest
import requests

from harness import oauth
from harness.oauth import grant, revoke, userinfo
from harness.sentences import Sentences
from harness.service import CALL_SECS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

rfc = Sentences("RFC 6750")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


def challenge(answer):
    """Parameters of the Bearer challenge, none twice."""
    value = answer.headers["WWW-Authenticate"]
    assert value.lower().startswith("bearer "), value
    found = PARAMETER.findall(value)
    assert len({name for name, _ in found}) == len(found), value
    return dict(found)


def assert_challenged(answer, status, error):
    assert answer.status_code == status, answer.text
    assert challenge(answer)["error"] == error
    assert answer.headers["Cache-Control"] == "no-store"


def access(service, client="app", scope=("openid",)):
    return grant(service, client, scope)["access_token"]


@rfc("2.1", "Resource servers MUST support this method (the header)")
def header(service):
    for client in ("app", "jwt"):
        text = access(service, client)
        for scheme in ("Bearer", "bearer", "BEARER"):
            answer = userinfo(service,
                              headers={"Authorization": f"{scheme} {text}"})
            assert answer.status_code == 200, answer.text


@rfc("2.2", "access_token as a parameter of a form in a POST")
def in_a_form(service):
    answer = userinfo(service, method="POST",
                      data={"access_token": access(service)})
    assert answer.status_code == 200, answer.text


@rfc("2.2", "not if the Content-Type is another one")
def in_json(service):
    answer = userinfo(service, method="POST",
                      json={"access_token": access(service)})
    assert answer.status_code in (400, 401, 415)


@rfc("2.3", "SHOULD NOT be used (the URI query)")
def in_the_query(service):
    answer = requests.get(service.url + "/oauth/v1/userinfo",
                          params={"access_token": access(service)},
                          timeout=CALL_SECS)
    assert answer.status_code in (400, 401)
    challenge(answer)


@rfc("3", "If the request does not include authentication credentials, MUST "
          "include WWW-Authenticate with the auth-scheme value Bearer, "
          "followed by one or more auth-param values")
def challenged(service):
    for method in ("GET", "POST"):
        answer = userinfo(service, method=method)
        assert answer.status_code == 401
        assert challenge(answer)


@rfc("3.1", "If the request lacks any authentication information, SHOULD NOT "
            "include an error code or other error information")
def no_error_without_credentials(service):
    found = challenge(userinfo(service))
    assert not {"error", "error_description", "error_uri"} & set(found)


@rfc("3", "If the request included an access token and failed, SHOULD include "
          "the error attribute")
def error_attribute(service):
    assert_challenged(userinfo(service, "A" * 64), 401, "invalid_token")


@rfc("3", "error, error_description MUST NOT include characters outside the "
          "set %x20-21 / %x23-5B / %x5D-7E")
def characters(service):
    for text in ("abc", '"quoted"', "a\\b"):
        answer = userinfo(service, headers={"Authorization": "Bearer " + text})
        for name, value in challenge(answer).items():
            if name.startswith("error"):
                assert re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]+", value)


@rfc("3.1", "invalid_request: repeats the same parameter: 400")
def repeated(service):
    text = access(service)
    answer = userinfo(service, method="POST", headers=FORM,
                      data=f"access_token={text}&access_token={text}")
    assert_challenged(answer, 400, "invalid_request")


@rfc("3.1", "invalid_request: uses more than one method for including an "
            "access token: 400")
def two_methods(service):
    text = access(service)
    answer = userinfo(service, text, "POST", data={"access_token": text})
    assert_challenged(answer, 400, "invalid_request")


@rfc("3.1", "invalid_token: malformed or otherwise invalid: 401")
def invalid(service):
    tokens = grant(service, "jwt")
    for text in ("x", "0" * 64, "a.b.c", tokens["refresh_token"],
                 tokens["id_token"], tokens["access_token"][:-2],
                 tokens["access_token"] + "A", tokens["access_token"] + "="):
        assert_challenged(userinfo(service, text), 401, "invalid_token")


@rfc("3.1", "invalid_token: revoked: 401")
def revoked(service):
    for client in ("app", "jwt"):
        text = access(service, client)
        assert revoke(service, text, client).status_code == 200
        assert_challenged(userinfo(service, text), 401, "invalid_token")


@rfc("3.1", "insufficient_scope: SHOULD respond with 403; MAY include the "
            "scope attribute")
def insufficient_scope(service):
    for client in ("app", "jwt"):
        answer = userinfo(service, access(service, client, ["read"]))
        assert_challenged(answer, 403, "insufficient_scope")
        assert challenge(answer).get("scope", "openid") == "openid"


@rfc("5.2", "token theft: a token in a URL, in a log")
def not_in_the_log(service):
    text = access(service)
    userinfo(service, text)
    userinfo(service, method="POST", data={"access_token": text})
    assert text not in service.gateway.log_text()


test_sentence = rfc.test()


@pytest.mark.parametrize("value", [
    "Bearer", "Bearer ", "Bearer a b", "Bearer é", "Basic YXBwOmE=",
    "Bearer " + "A" * 6000, "Digest x=y"])
def test_a_malformed_header(service, value):
    answer = userinfo(service, headers={"Authorization": value.encode()})
    assert answer.status_code in (400, 401, 431), answer.text
