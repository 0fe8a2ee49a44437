"""Recordings: what a script saw is kept sealed, told to who may see it, and
runs again bit for bit on a local engine. That nothing of it is seen by others
is looked for at the end."""

import json
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.partner import Partner
from harness.processes import BIN
from harness.realm import SECRET
from harness.service import unique
from harness.standard import standard_realm
from harness.wait import until

EXECUTIONS = 1000
SENSITIVE = "a-sensitive-property-value"
HMAC_KEY = "a key that no script may read, of enough bytes"
DATA_SECRET = "the-password-of-a-user"

# Does what data says, in order; the results are the payload.
BUSY = """
var made = typeof started === "undefined" ? 0 : started;
function act(order) {
  switch (order[0]) {
  case "random": return Math.random();
  case "now": return [Date.now(), new Date().toISOString(), Date()];
  case "uuid": return [CRYPTO.randomUUID(), java.util.UUID.randomUUID()];
  case "bytes": return CRYPTO.randomBytes(order[1], "hex");
  case "spin": var end = Date.now() + 2, n = 0;
    while (Date.now() < end) { n++; } return n;
  case "sort": var a = [];
    for (var i = 0; i < 50; i++) { a.push([Math.floor(Math.random() * 4), i]); }
    return a.sort(function (x, y) { return x[0] - y[0]; }).join(" ");
  case "store": CACHE.store(order[1], String(Math.random())); return null;
  case "fetch": return CACHE.fetch(order[1]);
  case "take": return CACHE.take(order[1]);
  case "delete": return CACHE.delete(order[1]);
  case "increment": return CACHE.increment(order[1]);
  case "get": var r = HTTP.get(PROPERTIES.partner + order[1]);
    return [r.status, r.headers, r.body.length, r.body.slice(0, 80)];
  case "post": return HTTP.post(PROPERTIES.partner + "/echo", {n: order[1]})
      .json();
  case "refused": try { HTTP.get("http://127.0.0.1:1/"); return "?"; }
    catch (e) { return [e.name, e.code, e.message]; }
  case "sign": return CRYPTO.jwtSign({iat: Math.floor(Date.now() / 1000)},
      {key: "hmac_key", algorithm: "HS256"});
  case "hash": return CRYPTO.pbkdf2Verify("p", {digest: "sha256",
      iterations: 2000000, salt: "c2FsdHNhbHQ=",
      hash: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="});
  case "property": return PROPERTIES.get("backend_key").length;
  case "log": LOG.warn("{} {} {}", PROPERTIES.backend_key, order[1],
      Math.random()); return null;
  case "throw": throw new Error("at " + Date.now() + " with " +
      PROPERTIES.backend_key);
  case "limit": for (;;) { CACHE.fetch("x"); }
  }
}
function execute(requestPayload, user, registrationData, custom) {
  var orders = JSON.parse(requestPayload).orders;
  return {status: 2000, user: {id: "u" + Math.random(), made: made},
      responsePayload: orders.map(act)};
}
"""

COLD = "var started = Date.now() + Math.random();\n" + BUSY

INIT = """
function execute(p) {
  LOG.info("init at {}", Date.now());
  return {status: 2000, responsePayload: "c",
      registrationData: {n: Math.random(), list: [1.5, null, "\\u00e9"]}};
}
"""
COMPLETE = """
function execute(p, u, registrationData, custom) {
  return {status: 4001,
      responsePayload: JSON.stringify([registrationData, custom])};
}
"""
SLOW = """
function execute() {
  LOG.info("began at {}", Date.now());
  CACHE.store("before", Date.now());
  for (;;) { Date.now(); }
}
"""

ORDERS = [["random"], ["now"], ["uuid"], ["bytes", 40], ["sort"], ["spin"],
          ["store", "a"], ["store", "b"], ["fetch", "a"], ["fetch", "b"],
          ["take", "a"], ["delete", "b"], ["increment", "n"],
          ["get", "/status/404"], ["get", "/cookies"], ["get", "/large/3000"],
          ["post", 7], ["refused"], ["sign"], ["property"], ["log", "x"]]


@pytest.fixture(scope="module")
def partner():
    partner = Partner()
    yield partner
    partner.close()


@pytest.fixture(scope="module")
def realm(partner):
    realm = standard_realm("busy", "cold", "kept", "steps", "slow", "quiet",
                           "hurried",
                           "bulky")
    realm.properties(
        {"id": "backend_key", "value": SENSITIVE, "sensitive": True},
        {"id": "partner", "value": f"http://127.0.0.1:{partner.port}"},
        {"id": "hmac_key", "value": HMAC_KEY, "kind": "key"})
    realm.api_client("root", "admin")
    realm.api_client("editor", "config")
    options = {
        "http": {"allow": [f"127.0.0.1/32:{partner.port}"]},
        "record": {"mode": "all", "keep": EXECUTIONS,
                   "mask": ["/password"]}}
    realm.idp("busy", BUSY, **options)
    realm.idp("cold", COLD, **options)
    realm.idp("kept", BUSY, script={"executions_per_process": 100}, **options)
    realm.idp("steps", COMPLETE, init=INIT, **options)
    realm.idp("slow", SLOW, script={"wall_ms": 200}, **options)
    realm.idp("hurried", BUSY, script={"wall_ms": 300}, **options)
    realm.idp("quiet", BUSY, http=options["http"],
              record={"mode": "failures", "keep": 50})
    realm.idp("bulky", BUSY, script={"http_body_kib": 2048}, **options)
    return realm


def read(service, path, client="root"):
    return requests.get(
        service.admin_url + "/api/v1/configuration/executions" + path,
        auth=(client, SECRET), timeout=20)


def recording_of(service, answer):
    got = read(service, f"/{answer.headers['X-Correlation-Id']}/recording")
    assert got.status_code == 200, got.text
    return got.json()


def rerun(recordings):
    """Their jobs on one local engine; outcomes by id."""
    jobs = "".join(json.dumps(r["job"]) + "\n" for r in recordings)
    done = subprocess.run([BIN / "postern-engine", "local"], input=jobs,
                          capture_output=True, text=True, timeout=120)
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == len(recordings), done.stderr[-2000:]
    return {outcome["id"]: outcome for outcome in outcomes}


def told(calls):
    """Calls without what they took."""
    return [{k: v for k, v in call.items() if k != "us"} for call in calls]


def difference(recording, outcome):
    """What is not as it was; None: nothing."""
    if outcome.get("diverged") or "error" in outcome:
        return outcome.get("diverged") or outcome["error"]
    expected = recording["expected"]
    for key in ("code", "status", "payload", "user", "registration_data",
                "message", "file", "line", "stack", "log"):
        if (outcome.get(key) or None) != (expected.get(key) or None):
            return key, expected.get(key), outcome.get(key)
    if told(outcome["calls"]) != told(recording["job"]["calls"]):
        return "calls", recording["job"]["calls"], outcome["calls"]
    return None


def assert_same(recordings):
    outcomes = rerun(recordings)
    for recording in recordings:
        assert recording["complete"], recording["incomplete"]
        found = difference(recording, outcomes[recording["correlation_id"]])
        assert found is None, (recording["job"]["data"], found)
    return outcomes


def data_of(orders):
    return json.dumps({"orders": orders, "password": DATA_SECRET})


def test_a_thousand_random_executions_run_again_alike(service):
    dice = random.Random(20261122)

    def one(number):
        orders = dice.choices(ORDERS, k=dice.randrange(1, 12))
        if number % 5 == 0:
            orders.append(["throw"])
        idp = ("busy", "cold", "kept")[number % 3]
        return idp, data_of(orders)

    work = [one(number) for number in range(EXECUTIONS)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda w: service.complete(*w), work))
        recordings = list(pool.map(
            lambda answer: recording_of(service, answer), answers))
    assert {a.status_code for a in answers} == {200, 500}
    outcomes = assert_same(recordings)
    # Different among themselves, though: it is not that nothing happens.
    assert len({json.dumps(o.get("user")) for o in outcomes.values()}) > 500
    assert {o["code"] for o in outcomes.values()} == {0, 3001}


def test_both_steps_run_again(service):
    opened = service.init("steps", "x")
    answer = service.complete(
        "steps", "y", opened.json()["transaction_id"],
        members={"hook_context_custom_params": {"a": ["1", "2"]}})
    assert answer.json()["status"] == 4001
    assert_same([recording_of(service, a) for a in (opened, answer)])


def test_host_call_limit_runs_again(service):
    answer = service.complete("busy", data_of([["limit"]]))
    recording = recording_of(service, answer)
    assert recording["expected"]["code"] == 3012
    assert len(recording["job"]["calls"]) == 20
    assert_same([recording])


def test_a_killed_one_runs_again(service):
    """What it read of the clock since it last spoke is not known: a loop of
    nothing else is killed here as well."""
    recording = recording_of(service, service.complete("slow"))
    assert recording["expected"]["code"] == 3010
    assert_same([recording])


def test_one_killed_while_it_waited_runs_again(service):
    """A hash that takes longer than it may: that call has no answer."""
    answer = service.complete("hurried", data_of([["log", "x"], ["hash"]]))
    recording = recording_of(service, answer)
    assert recording["expected"]["code"] == 3010
    assert set(recording["job"]["calls"][-1]) == {"call", "request"}
    outcome = rerun([recording])[recording["correlation_id"]]
    assert outcome["code"] == 3010 and outcome["diverged"] is None
    assert outcome["log"] == recording["expected"]["log"]


def test_what_only_the_gateway_finds_wrong(service):
    service.realm.idp("quiet", "function execute() { CACHE.fetch('k'); "
                      "return {status: 2000, user: {}}; }",
                      record={"mode": "failures", "keep": 50})
    service.reload()
    recording = recording_of(service, service.complete("quiet"))
    assert recording["expected"]["code"] == 3004
    assert len(recording["job"]["calls"]) == 1
    assert_same([recording])


def test_what_is_too_large_says_so(service):
    answer = service.complete(
        "bulky", data_of([["get", "/large/1000000"], ["throw"]]))
    recording = recording_of(service, answer)
    assert recording["complete"] is False
    assert "too large" in recording["incomplete"]
    record = read(service, "/" + answer.headers["X-Correlation-Id"]).json()
    assert record["replayable"] is False and record["not_replayable"]
    assert record["message"] and record["data"]


def test_a_body_in_parts_runs_again(service):
    answer = service.complete("bulky", data_of([["get", "/large/600000"]]))
    assert_same([recording_of(service, answer)])


def test_the_record_is_masked(service):
    answer = service.complete(
        "busy", data_of([["log", SENSITIVE], ["throw"]]))
    correlation_id = answer.headers["X-Correlation-Id"]
    record = read(service, "/" + correlation_id)
    assert SENSITIVE not in record.text and DATA_SECRET not in record.text
    assert json.loads(record.json()["data"]) == {
        "orders": [["log", "***"], ["throw"]], "password": "***"}
    assert record.json()["message"].endswith("with ***")
    recording = recording_of(service, answer)
    assert recording["expected"]["message"].endswith(SENSITIVE)
    assert recording["sensitive"] == ["backend_key"]
    assert recording["job"]["properties"]["backend_key"] == SENSITIVE
    assert recording["job"]["keys"] == {"hmac_key": ""}


def test_who_may_read_it(service):
    answer = service.complete("busy", data_of([["throw"]]))
    path = f"/{answer.headers['X-Correlation-Id']}/recording"
    assert read(service, path, "editor").status_code == 403
    assert read(service, path, "backend").status_code == 403
    assert read(service, path, "nobody").status_code == 401
    assert read(service, f"/{unique()}/recording").status_code == 404


def test_reading_it_leaves_an_event(service):
    service.realm.api_client("auditor", "events")
    service.reload()
    answer = service.complete("busy", data_of([["throw"]]))
    recording_of(service, answer)
    events = requests.get(
        service.url + "/oauth/api/v1/events",
        params={"type": "EXECUTION_RECORDING_READ", "order": "desc"},
        auth=("auditor", SECRET), timeout=20).json()
    correlation_id = answer.headers["X-Correlation-Id"]
    assert any(correlation_id in json.dumps(event) and
               "root" in json.dumps(event) for event in events["events"])


def test_failures_outlive_the_gateway(service):
    """A killed one: what was stored, a moment after the failure, is there."""
    stored = service.count("postern_records_total", outcome="stored")
    answer = service.complete("busy", data_of([["uuid"], ["throw"]]))
    until(lambda: service.count("postern_records_total",
                                outcome="stored") > stored, "it to be stored")
    path = "/" + answer.headers["X-Correlation-Id"]
    record, recording = read(service, path).json(), recording_of(
        service, answer)
    service.gateway.kill()
    service.restart(service.gateway)
    assert read(service, path).json() == record
    assert recording_of(service, answer) == recording
    assert record in [
        {**record, **row} for row in
        read(service, "?idp=busy&failed=true").json()]
    assert_same([recording])


def test_no_secret_is_anywhere_else(service):
    """Neither in the logs nor, in clear, in any file of the gateway."""
    logs = "".join(p.log_text() for p in service.processes())
    for secret in (SENSITIVE, DATA_SECRET, HMAC_KEY):
        assert secret not in logs
        for path in service.data_dir.rglob("*"):
            if path.is_file() and "secrets" not in path.parts:
                assert secret.encode() not in path.read_bytes(), path
