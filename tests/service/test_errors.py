"""Every row of the error table, in its order of checks (SPEC 1). What fails
before the script never starts one: the executions counter stands still."""

import json

import pytest
import requests

from harness.realm import SECRET
from harness.service import assert_error, success

V1 = "/oauth/custom-registration"
V3 = "/oauth/api/v3/custom-registration"
JSON_TYPE = {"Content-Type": "application/json"}
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def no_execution(service):
    """No test of this file may start a script."""
    before = service.executions()
    yield
    assert service.executions() == before


MALFORMED = {
    "not JSON": b"{",
    "comment": b'{"data": "x" // optional\n}',
    "duplicate key": b'{"data": "a", "data": "b"}',
    "trailing bytes": b'{"data": "a"} x',
    "array": b"[]",
    "string": b'"data"',
    "null": b"null",
    "not UTF-8": b'{"data": "\xff"}',
    "lone surrogate": b'{"data": "\\ud800"}',
    "too deep": b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "data is a number": b'{"data": 1}',
    "data is an object": b'{"data": {}}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("path, client", [
    (V1 + "/two/init", "app"), (V1 + "/mirror/complete", "app"),
    (V3 + "/mirror/backchannel", "backend")],
    ids=["init", "complete", "backchannel"])
def test_malformed_body(service, path, client, body):
    answer = service.post(path, client=client, data=body, headers=JSON_TYPE)
    assert_error(answer, 400, "invalid_request")


WRONG_MEMBERS = {
    "scope is a string": {"scope": "read"},
    "scope holds a number": {"scope": [1]},
    "transaction_id is a number": {"transaction_id": 1},
    "profile_id is a number": {"profile_id": 123456},
    "custom params is an array": {"hook_context_custom_params": []},
    "custom params holds a string": {"hook_context_custom_params": {"a": "b"}},
    "custom params holds numbers": {"hook_context_custom_params": {"a": [1]}},
    "grant_type is a number": {"grant_type": 1},
    "grant_type is another": {"grant_type": "password"},
    "stateless not allowed": {
        "grant_type": "urn:onewelcome:oauth2:grant_type:"
                      "stateless_authentication"},
}


@pytest.mark.parametrize("members", WRONG_MEMBERS.values(),
                         ids=WRONG_MEMBERS.keys())
def test_wrong_member_of_complete(service, members):
    assert_error(service.complete("mirror", success(), members=members), 400,
                 "invalid_request")


def test_two_step_complete_needs_a_transaction(service):
    assert_error(service.complete("two", success()), 400, "invalid_request")


def test_init_of_a_one_step_idp(service):
    assert_error(service.init("mirror"), 400, "invalid_request")


@pytest.mark.parametrize("client, secret", [
    ("app", "wrong"), ("nobody", SECRET), ("disabled", SECRET),
    ("backend", SECRET), ("app", "")])
def test_invalid_client(service, client, secret):
    answer = service.init("two", auth=(client, secret))
    assert_error(answer, 400, "invalid_client")
    assert "WWW-Authenticate" not in answer.headers


def test_no_credentials(service):
    assert_error(service.init("two", client=None), 400, "invalid_client")


def test_a_client_is_no_api_client(service):
    assert_error(service.backchannel("mirror", client="app"), 400,
                 "invalid_client")


def test_insufficient_permissions(service):
    assert_error(service.backchannel("mirror", client="inspector"), 403,
                 "insufficient_permissions")


@pytest.mark.parametrize("idp", ["missing", "TWO", "two%20", "a" * 65, "t.wo"])
def test_invalid_idp_identifier(service, idp):
    assert_error(service.init(idp), 404, "invalid_idp_identifier")
    assert_error(service.complete(idp), 404, "invalid_idp_identifier")
    assert_error(service.backchannel(idp), 404, "invalid_idp_identifier")


def test_idp_disabled(service):
    assert_error(service.complete("off"), 403, "idp_disabled")
    assert_error(service.backchannel("off"), 403, "idp_disabled")


def test_idp_not_assigned(service):
    assert_error(service.complete("unassigned"), 403, "idp_disabled")
    assert_error(service.init("two", client="nowhere"), 403, "idp_disabled")


@pytest.mark.parametrize("scope", [
    ["unknown"], ["read", "unknown"], ["secret"], ["re ad"], [""], ["\u00e9"]])
def test_invalid_scope(service, scope):
    assert_error(service.complete("mirror", success(),
                                  members={"scope": scope}),
                 400, "invalid_scope")


def test_no_scope_and_no_default(service):
    assert_error(service.complete("mirror", success(), client="no-default"),
                 400, "invalid_scope")


@pytest.mark.parametrize("client, profile", [
    ("needs-profile", None), ("needs-profile", "abcdef"),
    ("needs-profile", "ABCDE"), ("takes-profile", "ABCDEFG"),
    ("takes-profile", "ABC-12"), ("takes-profile", ""),
    ("no-profile", "ABC123")])
def test_invalid_profile(service, client, profile):
    members = {} if profile is None else {"profile_id": profile}
    assert_error(service.complete("mirror", success(), client=client,
                                  members=members), 400, "invalid_profile")


@pytest.mark.parametrize("transaction", [
    "unknown", "A" * 64, "0" * 64, "x" * 2000, "\u0000", "é"])
def test_unknown_transaction(service, transaction):
    assert_error(service.complete("two", success(), transaction), 400,
                 "invalid_transaction")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD",
                                    "OPTIONS"])
def test_wrong_method(service, method):
    answer = requests.request(method, service.url + V1 + "/two/init",
                              timeout=20)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    if method != "HEAD":
        assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["TRACE", "BREW", "PROPFIND"])
def test_a_method_nothing_takes(service, method):
    """The HTTP library refuses some of these before there is a route."""
    answer = requests.request(method, service.url + V1 + "/two/init",
                              timeout=20)
    assert answer.status_code in (400, 405, 501)
    assert answer.json()["error"] == "invalid_request"


def test_too_large(service):
    body = json.dumps({"data": "x" * (200 * 1024)}).encode()
    assert_error(service.post(V1 + "/mirror/complete", data=body,
                              headers=JSON_TYPE), 413, "invalid_request")


def test_data_over_the_limit_of_its_idp(service):
    answer = service.complete("mirror", "x" * (64 * 1024 + 1))
    assert_error(answer, 413, "invalid_request")


@pytest.mark.parametrize("kind", [
    "text/plain", "application/xml", "multipart/form-data; boundary=x",
    "application/json; charset=latin1", "application/jsonx", "json"])
def test_wrong_content_type(service, kind):
    answer = service.post(V1 + "/mirror/complete", data=b"{}",
                          headers={"Content-Type": kind})
    assert_error(answer, 415, "invalid_request")


@pytest.mark.parametrize("path", [
    "/", "/oauth", "/oauth/custom-registration", V1 + "/two", V1 + "/two/",
    V1 + "/two/init/", V1 + "/two/other", V1 + "//init",
    "/OAUTH/custom-registration/two/init",
    "/oauth/api/v2/custom-registration/two/backchannel", "/health/live",
    "/metrics"])
def test_unknown_path(service, path):
    assert_error(service.post(path), 404, "not_found")


# Each step of the order: the request also has every mistake of later steps.
ORDER = [
    ("path before method", 404, "not_found",
     dict(path="/nothing", auth=("app", "wrong"), body=b"{")),
    ("type before body syntax", 415, "invalid_request",
     dict(auth=("app", "wrong"), body=b"{", kind="text/plain")),
    ("size before body syntax", 413, "invalid_request",
     dict(auth=("app", "wrong"), body=b"{" * 200000)),
    ("body syntax before client", 400, "invalid_request",
     dict(auth=("app", "wrong"), body=b"{", idp="missing")),
    ("client before IdP", 400, "invalid_client",
     dict(auth=("app", "wrong"), body=b'{"data": 1}', idp="missing")),
    ("IdP before body fields", 404, "invalid_idp_identifier",
     dict(body=b'{"data": 1, "scope": ["no"]}', idp="missing")),
    ("disabled IdP before body fields", 403, "idp_disabled",
     dict(body=b'{"data": 1}', idp="off")),
    ("body fields before scope", 400, "invalid_request",
     dict(body=b'{"data": 1, "scope": ["no"]}', idp="two")),
    ("scope before profile", 400, "invalid_scope",
     dict(body=b'{"scope": ["no"], "profile_id": "x", "transaction_id": "x"}',
          idp="two")),
    ("profile before transaction", 400, "invalid_profile",
     dict(body=b'{"profile_id": "x", "transaction_id": "x"}', idp="two")),
]


@pytest.mark.parametrize("name, status, error, request_", ORDER,
                         ids=[row[0] for row in ORDER])
def test_order_of_checks(service, name, status, error, request_):
    path = request_.get("path",
                        f"{V1}/{request_.get('idp', 'two')}/complete")
    answer = service.post(
        path, client=None, auth=request_.get("auth", ("takes-profile", SECRET)),
        data=request_["body"],
        headers={"Content-Type": request_.get("kind", "application/json")})
    assert_error(answer, status, error)


def test_permission_before_idp(service):
    assert_error(service.backchannel("missing", client="inspector"), 403,
                 "insufficient_permissions")


def test_all_bad_transactions_read_the_same(service):
    unknown = service.complete("two", success(), "unknown")
    again = service.complete("two", success(), "0" * 64)
    assert unknown.json() == again.json()


def test_descriptions_leak_nothing(service):
    """No path, no secret of the caller, no stack."""
    answer = service.init("two", auth=("app", "s3cret-guess"))
    assert "s3cret" not in answer.text
    assert str(service.directory) not in answer.text
