"""Every row of the admin listener's table of routes: who may, and what is
refused before a handler sees it. The rows come from docs/openapi.json, which
is made from the table and is the document that is served."""

import base64
import http.client
import json
import re

import pytest

from harness.configuration import (ADMIN, BASE, assert_problem, call, get,
                                   openapi)
from harness.realm import SECRET
from harness.service import Service
from harness.standard import standard_realm

BODY_MAX = 1 << 20
REALM_BODY_MAX = 32 << 20
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
BODIES = {"POST", "PUT", "PATCH"}

# What a route answers to who may use it and asks for something that is not
# there, or sends nothing useful.
HARMLESS = {200, 204, 400, 404, 409}


def rows():
    for path, methods in openapi()["paths"].items():
        for method, operation in methods.items():
            yield (method.upper(), re.sub(r"\{\w+\}", "no-such", path),
                   operation)


ROWS = list(rows())
PROTECTED = [row for row in ROWS if "x-scope" in row[2]]


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm()
    realm.api_client("configurer", "config")
    realm.api_client("administrator", "admin")
    return realm


@pytest.fixture(scope="module")
def running_service(realm):
    with Service(realm, in_store=True) as service:
        yield service


class Caller:
    """One connection, so that hundreds of calls are quick."""

    def __init__(self, service):
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", service.admin_port, timeout=60)

    def call(self, method, path, client=None, body=None, headers=()):
        """Status, headers, body; `body` None: none is sent."""
        sent = dict(headers)
        if client is not None:
            secret = ADMIN[1] if client == ADMIN[0] else SECRET
            pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
            sent["Authorization"] = "Basic " + pair
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture
def caller(service):
    return Caller(service)


def check_all(checked, check):
    """Every row is looked at; what is wrong with each is listed."""
    wrong = []
    for method, path, operation in checked:
        complaint = check(method, path, operation)
        if complaint:
            wrong.append((method, path, complaint))
    assert checked and not wrong, wrong


def refusal(answer, status, code):
    """None, or how an answer differs from this refusal."""
    seen, _, body = answer
    if seen != status:
        return seen, body
    document = json.loads(body)
    if (set(document) != {"code", "message", "details"}
            or document["code"] != code or not document["message"]):
        return document
    return None


# -- the document -------------------------------------------------------------

def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_is_openapi_3_1(service):
    document = get(service, "/openapi.json").json()
    assert document == openapi()
    assert document["openapi"] == "3.1.0"
    assert set(document["info"]) >= {"title", "version"}
    seen = set()
    for path, methods in document["paths"].items():
        assert path.startswith("/")
        for method, operation in methods.items():
            assert method.upper() in METHODS
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            in_path = {p["name"] for p in operation["parameters"]
                       if p["in"] == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", path)), path
            for parameter in operation["parameters"]:
                assert set(parameter) >= {"name", "in", "required", "schema"}
            assert operation["summary"]
            assert "default" in operation["responses"]
            assert all(answer.get("description") or "$ref" in answer
                       for answer in operation["responses"].values())
    for reference in references(document):
        at = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]


def test_the_document_has_the_realm_schema():
    schemas = openapi()["components"]["schemas"]
    client = schemas["ClientFile"]
    assert client["required"] == ["client_id"]
    assert client["properties"]["access_token"]["$ref"].endswith("AccessBlock")
    assert schemas["AccessBlock"]["properties"]["format"]["enum"] == [
        "opaque", "jwt"]
    assert schemas["ScriptBlock"]["properties"]["wall_ms"]["maximum"] == 60000


def test_every_row_is_served(caller):
    """Nothing of the table is 404 as a path: the message of that differs."""
    def check(method, path, _):
        status, _, body = caller.call(method, path, ADMIN[0])
        if status == 404 and b"nothing at this path" in body:
            return body
        return None
    check_all(ROWS, check)


# -- who may ------------------------------------------------------------------

def test_without_credentials(caller):
    def check(method, path, _):
        status, headers, body = answer = caller.call(method, path)
        if "WWW-Authenticate" not in headers:
            return headers.items()
        return refusal(answer, 401, "invalid_client")
    check_all(PROTECTED, check)


def test_with_the_wrong_scope(caller):
    def check(method, path, operation):
        clients = ["backend"]  # user_registration alone
        if operation["x-scope"] == "admin":
            clients.append("configurer")
        for client in clients:
            complaint = refusal(caller.call(method, path, client), 403,
                                "insufficient_permissions")
            if complaint:
                return client, complaint
        return None
    check_all(PROTECTED, check)


def test_with_the_right_scope(caller):
    def check(method, path, operation):
        clients = ["administrator", ADMIN[0]]
        if operation["x-scope"] == "config":
            clients.append("configurer")
        for client in clients:
            status, _, body = caller.call(method, path, client)
            if status not in HARMLESS:
                return client, status, body
        return None
    check_all(PROTECTED, check)


def test_health_and_metrics_are_open(caller):
    is_open = [row for row in ROWS if row[2].get("security") == []]
    assert {row[1] for row in is_open} == {
        "/health/live", "/health/ready", "/metrics"}

    def check(method, path, _):
        status, _, body = caller.call(method, path)
        return None if status == 200 else (status, body)
    check_all(is_open, check)


@pytest.mark.parametrize("auth", [
    ("app", SECRET), ("administrator", "wrong"), ("nobody", SECRET)],
    ids=["client", "secret", "unknown"])
def test_other_credentials(service, auth):
    assert_problem(get(service, "/realm", auth=auth), 401, "invalid_client")


def test_other_schemes(service):
    for value in ("Bearer " + "A" * 64, "Basic", "Basic !", "Digest x"):
        answer = get(service, "/realm", auth=None,
                     headers={"Authorization": value})
        assert_problem(answer, 401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_credentials_in_the_query(service):
    assert_problem(get(service, "/realm?client_secret=x"), 400,
                   "invalid_request")


def test_failures_are_throttled_and_leave_events(service):
    before = service.count("postern_auth_throttled_total")
    events = service.count("postern_events_total")
    for _ in range(8):
        assert_problem(get(service, "/realm", auth=("guessed", "x")), 401,
                       "invalid_client")
    assert service.count("postern_auth_throttled_total") > before
    assert service.count("postern_events_total") >= events
    assert get(service, "/realm").status_code == 200


# -- what is refused before ----------------------------------------------------

def test_wrong_methods(caller):
    by_path = {}
    for method, path, _ in ROWS:
        by_path.setdefault(path, set()).add(method)
    for path, known in by_path.items():
        for method in set(METHODS) - known:
            answer = caller.call(method, path, ADMIN[0])
            assert refusal(answer, 405, "method_not_allowed") is None, (
                method, path, answer)
            assert set(answer[1]["Allow"].split(", ")) == known, path


def test_foreign_hosts(caller):
    def check(method, path, _):
        return refusal(
            caller.call(method, path, ADMIN[0],
                        headers={"Host": "evil.example"}), 421, "misdirected")
    check_all(ROWS, check)


def test_cookies(caller):
    def check(method, path, _):
        return refusal(caller.call(method, path, ADMIN[0],
                                   headers={"Cookie": "a=b"}),
                       400, "invalid_request")
    check_all(ROWS, check)


@pytest.mark.parametrize("media_type", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
    "application/json; charset=latin-1", "application/jsonx"])
def test_other_media_types(caller, media_type):
    def check(method, path, _):
        return refusal(caller.call(method, path, ADMIN[0], b"{}",
                                   {"Content-Type": media_type}),
                       415, "unsupported_media_type")
    check_all([row for row in ROWS if row[0] in BODIES], check)


def test_bodies_where_none_is_taken(service):
    def check(method, path, _):
        # A connection each: a body that is not taken ends it.
        return refusal(Caller(service).call(method, path, ADMIN[0], b"{}"),
                       400, "invalid_request")
    check_all([row for row in ROWS if row[0] not in BODIES], check)


def announce(service, method, path, length):
    """The answer to a head that announces so much; the body never comes."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", service.admin_port, timeout=60)
    pair = base64.b64encode(":".join(ADMIN).encode()).decode()
    connection.putrequest(method, path)
    connection.putheader("Authorization", "Basic " + pair)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Expect", "100-continue")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def test_too_large_bodies(service):
    def check(method, path, _):
        most = (REALM_BODY_MAX if path in (BASE + "/realm/plan",
                                           BASE + "/realm/apply")
                else BODY_MAX)
        return refusal(announce(service, method, path, most + 1), 413,
                       "too_large")
    check_all([row for row in ROWS if row[0] in BODIES], check)


def test_a_stranger_may_not_send_a_body(service):
    """Refused by the head alone: 32 MiB of anybody's are never read."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", service.admin_port, timeout=60)
    connection.putrequest("POST", BASE + "/realm/apply")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(REALM_BODY_MAX))
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


@pytest.mark.parametrize("body", [
    b"{", b"[]", b"{} x", b"{\"a\":1,\"a\":2}", b"\xff", b"null", b"\"x\"",
    b"[" * 100000, b"{\"a\":" * 5000], ids=[
    "cut", "array", "trailing", "twice", "utf8", "null", "text", "deep",
    "deep_objects"])
def test_malformed_bodies(caller, body):
    """Also on a worker's small stack: nothing recurses into these."""
    def check(method, path, operation):
        if "requestBody" not in operation:
            return None
        status, _, text = caller.call(method, path, ADMIN[0], body)
        # What is not there is not there whatever is said about it.
        if status == 404 and "no-such" in path:
            return None
        return None if status == 400 else (status, text)
    check_all([row for row in ROWS if row[0] in BODIES], check)


def test_unknown_paths(service):
    for path in ("/", "/nothing", "/clients/", "/clients/a/b", "/realm/",
                 "//realm", "/clients/..%2f..%2frealm/x"):
        assert_problem(call(service, "GET", path), 404, "not_found")
