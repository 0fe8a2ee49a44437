"""Shadow runs: a draft beside the live release, with nothing that shows."""

import json
import re

import pytest

from harness.configuration import assert_problem, call, get
from harness.realm import SECRET
from harness.service import Service, unique
from harness.standard import standard_realm
from harness.wait import until

CONFIG = ("configurer", SECRET)
SENSITIVE = "a-sensitive-value"

# Random numbers, the clock, the cache: a draft is told what live was told.
LIVE = """
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  var calls = [];
  if (order.counter) {
    calls.push(CACHE.increment(order.counter));
    CACHE.store(order.counter + "-at", String(Date.now()));
    calls.push(CACHE.fetch(order.counter + "-at"));
  }
  if (order.fails) { throw new Error("a failure"); }
  return {status: 2000, user: {id: "u", roles: ["a", "b"]},
          responsePayload: {calls: calls, random: Math.random(),
                            uuid: CRYPTO.randomUUID(), now: Date.now(),
                            secret: PROPERTIES.secret, word: "%s"}};
}
"""

MORE_CALLS = """
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  if (order.counter) {
    CACHE.increment(order.counter);
    CACHE.delete(order.counter);
  }
  return {status: 2000, user: {id: "u"}};
}
"""

HTTP = """
function execute() {
  HTTP.get("http://127.0.0.1:1/");
  return {status: 2000, user: {id: "u"}};
}
"""


def shadow_realm():
    realm = standard_realm("shadowed")
    realm.properties({"id": "secret", "value": SENSITIVE, "sensitive": True})
    realm.idp("shadowed", LIVE % "live", record={"mode": "off"})
    realm.api_client(CONFIG[0], "config")
    return realm


@pytest.fixture(scope="module")
def running_service():
    with Service(shadow_realm(), in_store=True) as service:
        yield service


def path_of(release, step=None):
    return "/".join(filter(None, ["/idps/shadowed/releases", release, step]))


@pytest.fixture
def shadow(service):
    """shadow(script): drafts it and shadows every live execution with it."""
    drafts = []

    def start(script, percent=100):
        answer = call(service, "POST", path_of(None),
                      {"scripts": {"complete": script}})
        assert answer.status_code == 201, answer.text
        release = answer.json()["release"]
        drafts.append(release)
        answer = call(service, "PUT", path_of(release, "shadow"),
                      {"percent": percent})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "release": release, "percent": percent, "runs": 0, "same": 0,
            "different": 0, "diverged": 0, "skipped": 0, "examples": []}
        return release

    yield start
    for release in drafts:
        call(service, "DELETE", path_of(release))


def run(service, **order):
    return service.complete("shadowed", order)


def shown(service, release):
    answer = get(service, path_of(release, "shadow"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def wait_for(service, release, runs):
    def ended():
        body = shown(service, release)
        return body if body["runs"] + body["skipped"] >= runs else None
    body = until(ended, f"{runs} shadow runs", 20)
    assert body["skipped"] == 0, body
    assert body["runs"] == runs
    return body


def test_same(service, shadow):
    # Another text, the same result: even its random numbers and its clock.
    release = shadow("// better\n" + LIVE % "live")
    counters = [unique("counter") for _ in range(3)]
    executions = service.executions(idp="shadowed")
    for counter in counters:
        answer = run(service, counter=counter)
        assert answer.status_code == 200, answer.text
    body = wait_for(service, release, 3)
    assert body["same"] == 3 and body["examples"] == []
    # No effect: each counter was incremented by the live run alone.
    for counter in counters:
        again = json.loads(run(service, counter=counter).json()["data"])
        assert again["calls"][0] == 2
    assert service.executions(idp="shadowed") == executions + 6
    assert service.count("postern_shadow_runs_total", idp="shadowed",
                         result="same") >= 3


def test_different(service, shadow):
    release = shadow(LIVE % "draft")
    answer = run(service)
    assert json.loads(answer.json()["data"])["word"] == "live"
    body = wait_for(service, release, 1)
    assert body["different"] == 1
    example, = body["examples"]
    assert example["result"] == "different" and example["what"] == "payload"
    assert example["script"] == "complete"
    assert example["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert json.loads(example["live"]["payload"])["word"] == "live"
    assert json.loads(example["draft"]["payload"])["word"] == "draft"
    # Masked, as a record is.
    assert json.loads(example["live"]["payload"])["secret"] == "***"
    assert SENSITIVE not in json.dumps(body)


def test_a_failure_that_a_draft_mends(service, shadow):
    script = (LIVE % "live").replace('throw new Error("a failure");', "")
    release = shadow(script)
    assert run(service, fails=True).status_code == 500
    example, = wait_for(service, release, 1)["examples"]
    assert example["what"] == "code"
    assert example["live"]["message"].startswith("Error: a failure")
    assert example["draft"]["status"] == 2000


def test_another_host_call_diverges(service, shadow):
    release = shadow(MORE_CALLS)
    counter = unique("counter")
    run(service, counter=counter)
    body = wait_for(service, release, 1)
    assert body["diverged"] == 1
    assert body["examples"][0]["what"] == "host call"
    assert body["examples"][0]["draft"] is None
    # Nothing was deleted.
    again = json.loads(run(service, counter=counter).json()["data"])
    assert again["calls"][0] == 2


def test_no_request_leaves(service, shadow):
    release = shadow(HTTP)
    run(service)
    assert wait_for(service, release, 1)["diverged"] == 1
    assert service.count("postern_host_calls_total", call="http_intent") == 0


def test_the_log_is_silent(service, shadow):
    release = shadow("LOG.info('top');\n" + (LIVE % "live").replace(
        "var calls", "LOG.info('a line of the draft'); var calls"))
    run(service)
    wait_for(service, release, 1)
    assert "a line of the draft" not in service.gateway.log_text()


def test_percent_is_a_share(service, shadow):
    release = shadow(LIVE % "live" + "// other", percent=1)
    for _ in range(20):
        assert run(service).status_code == 200
    body = shown(service, release)
    assert body["runs"] + body["skipped"] < 20


def test_what_can_be_shadowed(service, shadow):
    release = shadow(LIVE % "one")
    answer = call(service, "POST", path_of(None),
                  {"scripts": {"complete": LIVE % "two"}})
    other = answer.json()["release"]
    put = {"percent": 5}
    assert_problem(call(service, "PUT", path_of(other, "shadow"), put), 409,
                   "conflict")
    assert_problem(call(service, "PUT", path_of("live", "shadow"), put), 409,
                   "conflict")
    assert_problem(get(service, path_of(other, "shadow")), 404, "not_found")
    for body in ({}, {"percent": 0}, {"percent": 101}, {"percent": "5"},
                 {"percent": 5.5}, {"per_cent": 5}):
        assert_problem(call(service, "PUT", path_of(release, "shadow"), body),
                       400, "invalid_request")
    for method, body in (("GET", None), ("PUT", put), ("DELETE", None)):
        answer = call(service, method, path_of(release, "shadow"), body,
                      auth=CONFIG)
        assert_problem(answer, 403, "insufficient_permissions")
    assert call(service, "PUT", path_of(release, "shadow"),
                put).json()["percent"] == 5
    assert call(service, "DELETE",
                path_of(release, "shadow")).status_code == 204
    assert_problem(call(service, "DELETE", path_of(release, "shadow")), 404,
                   "not_found")
    assert call(service, "DELETE", path_of(other)).status_code == 204


def test_publishing_ends_it(service, shadow):
    release = shadow(LIVE % "live" + "// better")
    answer = call(service, "POST", path_of(release, "publish"))
    assert answer.status_code == 200, answer.text
    assert_problem(get(service, path_of(release, "shadow")), 404, "not_found")
    assert call(service, "POST",
                "/idps/shadowed/rollback").status_code == 200


def test_busy_engines_are_left_alone(start):
    """With one slot nothing is ever idle enough."""
    service = start(shadow_realm(), in_store=True, engine_flags=("--slots=1",))
    release = call(service, "POST", path_of(None),
                   {"scripts": {"complete": LIVE % "draft"}}).json()["release"]
    call(service, "PUT", path_of(release, "shadow"), {"percent": 100})
    for _ in range(5):
        assert run(service).status_code == 200
    until(lambda: shown(service, release)["skipped"] == 5, "five skipped", 10)
    assert shown(service, release)["runs"] == 0


def test_a_two_step_draft(start):
    realm = shadow_realm()
    realm.client("app", idps=["steps"], default_scopes=["read"])
    realm.idp("steps", """
      function execute(payload, user, data) {
        return {status: 2000, user: {id: data.id}};
      }""", init="""
      function execute() {
        return {status: 2000, registrationData: {id: CRYPTO.randomUUID()}};
      }""")
    service = start(realm, in_store=True)
    path = "/idps/steps/releases"
    scripts = {name: text + "// same" for name, text in
               get(service, path + "/live").json()["scripts"].items() if text}
    release = call(service, "POST", path,
                   {"scripts": scripts}).json()["release"]
    call(service, "PUT", f"{path}/{release}/shadow", {"percent": 100})
    for _ in range(2):
        answer = service.complete("steps",
                                  transaction=service.transaction("steps"))
        assert answer.status_code == 200, answer.text
    body = until(lambda: (b := get(service, f"{path}/{release}/shadow").json())
                 ["runs"] == 4 and b, "four shadow runs", 20)
    assert body["same"] == 4
    assert re.fullmatch("[0-9a-f]{64}", release)
