"""LOG and console: in the operator's log with their context, bounded, unable
to forge a line; sensitive property values masked."""

import json

import pytest

from harness.service import unique
from harness.standard import standard_realm
from harness.wait import until

LOGGING = """
function execute(requestPayload) {
  JSON.parse(requestPayload).forEach(function (line) {
    var target = line[0] === "console" ? console : LOG;
    target[line[1]].apply(target, line.slice(2));
  });
  return {status: 2000, user: {id: "x"}, responsePayload: "done"};
}
"""

SECRET_VALUE = "sensitive-7f3a9c-value"

LEAKY = """
LOG.info("top level " + PROPERTIES.get("backend_key"));
function execute(requestPayload) {
  LOG.info("key is {}", PROPERTIES.backend_key);
  LOG.info("base is {}", PROPERTIES.base_url);
  console.error(PROPERTIES.get("backend_key"));
  throw new Error("with " + PROPERTIES.get("backend_key"));
}
"""

READING = """
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: {
    get: PROPERTIES.get("base_url"), field: PROPERTIES.base_url,
    key: PROPERTIES.get("backend_key") || null,
    missing: PROPERTIES.get("missing") || null}};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("logging", "leaky", "reading")
    realm.properties(
        {"id": "base_url", "value": "https://api.example.com"},
        {"id": "backend_key", "value": SECRET_VALUE, "sensitive": True,
         "idps": ["leaky"]})
    realm.idp("logging", LOGGING)
    realm.idp("leaky", LEAKY)
    realm.idp("reading", READING)
    return realm


def log(service, *lines):
    answer = service.complete("logging", list(lines))
    assert answer.status_code == 200, answer.text
    return answer.headers["X-Correlation-Id"]


def entries_with(service, text):
    return until(lambda: [e for e in service.gateway.log_entries()
                          if any(text in str(v) for v in e.values())],
                 f"a log line with {text}")


@pytest.mark.parametrize("target", ["LOG", "console"])
@pytest.mark.parametrize("level", ["info", "warn", "error"])
def test_a_line_with_its_context(service, target, level):
    mark = unique("line")
    correlation_id = log(service, [target, level, mark + " {} and {}", "one",
                                   2])
    [entry] = entries_with(service, mark)
    assert correlation_id in entry.values()
    assert "logging" in entry.values()
    assert f"{mark} one and 2" in entry.values()
    assert level in entry.values() or entry["level"] == level


def test_trace_and_debug_do_no_harm(service):
    log(service, ["LOG", "trace", "t"], ["LOG", "debug", "d"],
        ["console", "trace", "t"], ["console", "debug", "d"])


@pytest.mark.parametrize("arguments", [
    ["{} {} {}"], ["no placeholder", "extra"], [{"a": 1}], [None], [],
    ["{}", {"a": [1]}], ["{}", None], [""]])
def test_odd_arguments(service, arguments):
    log(service, ["LOG", "info", *arguments])


def test_a_line_cannot_be_forged(service):
    mark = unique("forged")
    log(service, ["LOG", "info",
                  f'{mark}\n{{"level":"error","event":"{mark}"}}\r\u001b[31m'])
    [entry] = entries_with(service, mark)
    assert entry.get("event") != mark
    assert all("\n" not in line for line in
               service.gateway.log_text().splitlines())
    assert "\u001b" not in service.gateway.log_text()


def test_beyond_its_limit_the_log_is_cut_and_the_run_goes_on(service):
    mark = unique("flood")
    before = len(service.gateway.log_text())
    log(service, *[["LOG", "info", mark + "x" * 800] for _ in range(60)])
    lines = entries_with(service, mark)
    assert 10 <= len(lines) <= 22
    assert len(service.gateway.log_text()) - before < 64 * 1024


def test_sensitive_values_are_masked(service):
    answer = service.complete("leaky")
    assert answer.status_code == 500
    service.failure_of(answer)
    entries_with(service, "base is https://api.example.com")
    for process in service.processes():
        assert SECRET_VALUE not in process.log_text()
    assert SECRET_VALUE not in answer.text


def test_properties(service):
    answer = service.complete("reading")
    assert answer.status_code == 200, service.logs()
    assert json.loads(answer.json()["data"]) == {
        "get": "https://api.example.com", "field": "https://api.example.com",
        "key": None, "missing": None}


def test_no_token_and_no_credential_in_any_log(service):
    answer = service.complete("mirror", {
        "status": 2000, "user": {"id": "quiet"}},
        members={"scope": ["openid"]})
    token = answer.json()["oauth_token"]
    text = "".join(p.log_text() for p in service.processes())
    for secret in (token["access_token"], token["refresh_token"],
                   token["id_token"], "only-in-tests"):
        assert secret not in text
