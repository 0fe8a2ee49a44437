"""What was set over the configuration API as a secret or as sensitive is found
in no answer, export, log or file afterwards."""

import base64
import json

import pytest
import requests

from harness.configuration import (ADMIN, apply, call, export, get, openapi)
from harness.service import Service, unique
from harness.standard import standard_realm

USING = """
function execute(requestPayload) {
  var secret = PROPERTIES.get("canary_sensitive");
  LOG.info("uses {}", secret);
  console.warn(secret);
  if (requestPayload === "throw") { throw new Error("with " + secret); }
  return {status: 2000, user: {id: "x"}, responsePayload: "fine"};
}
"""


def canary(name):
    return f"canary-{name}-{unique()}"


CANARIES = {name: canary(name) for name in (
    "client", "api_client", "sensitive", "key", "patched", "applied",
    "applied_property", "refused")}


@pytest.fixture(scope="module")
def running_service():
    with Service(standard_realm(), in_store=True) as service:
        yield service


def set_canaries(service):
    """Through every door that takes a secret; the answers."""
    def post(collection, body):
        return call(service, "POST", "/" + collection, body)
    answers = [
        post("properties", {"id": "canary_sensitive", "sensitive": True,
                            "value": CANARIES["sensitive"]}),
        post("properties", {"id": "canary_key", "kind": "key",
                            "value": CANARIES["key"]}),
        post("idps", {"id": "canaries", "type": "one_step",
                      "record": {"mode": "all"},
                      "scripts": {"complete": USING}}),
        post("clients", {"client_id": "canary", "idps": ["canaries"],
                         "default_scopes": ["read"], "client_secret": {
                             "plain": CANARIES["client"]}}),
        post("api-clients", {"client_id": "canary", "scopes": ["events"],
                             "client_secret": {
                                 "plain": CANARIES["api_client"]}}),
    ]
    assert [a.status_code for a in answers] == [201] * 5, [
        a.text for a in answers]
    files = export(service)
    files["clients/second.yaml"] = json.dumps({
        "client_id": "second", "client_secret": {
            "plain": CANARIES["applied"]}})
    files["properties.yaml"] += (
        "- id: canary_applied\n  sensitive: true\n"
        f"  value: {CANARIES['applied_property']}\n")
    for path in ("/realm/plan", "/realm/apply"):
        answers.append(call(service, "POST", path, {"files": files}))
        assert answers[-1].status_code == 200, answers[-1].text
    answers.append(call(service, "PATCH", "/clients/second", {
        "client_secret": {"plain": CANARIES["patched"]}}))
    assert answers[-1].status_code == 204
    # Refusals repeat no value either.
    answers.append(post("clients", {
        "client_id": "refused", "idps": ["none"], "client_secret": {
            "plain": CANARIES["refused"], "env": CANARIES["refused"]}}))
    answers.append(apply(service, {**files, "clients/refused.yaml": (
        "client_id: refused\nclient_secret: {plain: ["
        + CANARIES["refused"] + "]}\n")}))
    assert [a.status_code for a in answers[-2:]] == [400, 400]
    return answers


def use_canaries(service):
    """They do work; the answers."""
    answers = [service.complete("canaries", data, client=None,
                                auth=("canary", CANARIES["client"]))
               for data in ("fine", "throw")]
    assert [a.status_code for a in answers] == [200, 500]
    events = requests.get(service.url + "/oauth/api/v1/events",
                          auth=("canary", CANARIES["api_client"]), timeout=20)
    assert events.status_code == 200
    records = [get(service, "/executions/" + a.headers["X-Correlation-Id"])
               for a in answers]
    assert [r.status_code for r in records] == [200, 200]
    return [*answers, events, *records]


def read_everything(service):
    """Every GET of the API that has no {..}, and some that have. Recordings
    are for admin and hold true values: that is test_recordings.py's."""
    paths = [path for path, methods in openapi()["paths"].items()
             if "get" in methods and "{" not in path]
    paths += ["/api/v1/configuration" + path for path in (
        "/clients/canary", "/clients/second", "/api-clients/canary",
        "/properties/canary_sensitive", "/properties/canary_key",
        "/properties/canary_applied", "/idps/canaries", "/log?after=0",
        "/idps/canaries/releases/live")]
    answers = [requests.get(service.admin_url + path, auth=ADMIN, timeout=20)
               for path in paths]
    assert all(a.status_code == 200 for a in answers), [
        (a.url, a.status_code) for a in answers]
    return answers


def spellings(secret):
    yield secret.encode()
    for shift in range(3):  # wherever it begins within base64's threes
        text = base64.b64encode(b"x" * shift + secret.encode())
        yield text[4:-4]


def traces(what, content):
    return [(what, name) for name, secret in CANARIES.items()
            for spelling in spellings(secret) if spelling in content]


def test_nothing_tells_a_secret(service):
    answers = (set_canaries(service) + use_canaries(service)
               + read_everything(service))
    found = []
    for answer in answers:
        found += traces(answer.url, answer.content)
        found += traces(answer.url, repr(answer.headers).encode())
    # Files: the store, its log, what processes logged, what is generated.
    for path in service.directory.rglob("*"):
        if path.is_file():
            found += traces(str(path), path.read_bytes())
    assert not found, found
    # Else nothing above means anything.
    assert traces("a", CANARIES["key"].encode())
    shown = get(service, "/properties/canary_sensitive").json()
    assert shown == {"id": "canary_sensitive", "sensitive": True,
                     "keep": "canary_sensitive"}
    log = get(service, "/log?after=0").json()["lines"]
    assert any(line["text"] == "uses ***" for line in log), log
