"""Every limit of an execution below, at and above its value: set for the realm
or for one identity provider, named in the record where it ends the run."""

import signal

import pytest

from harness.processes import SLOWNESS
from harness.service import assert_error, unique
from harness.standard import standard_realm
from harness.wait import until

# Does what data orders; the rest of the answer does not depend on it.
ORDERS = """
var executions = 0;
function text(n) { return new Array(n + 1).join("x"); }
function spin(ms) { var end = Date.now() + ms; while (Date.now() < end) {} }
function attempt(action) {
  try { action(); return "done"; } catch (e) { return e.name; }
}
var orders = {
  result: function (n) { return text(n - '{"id":"u"}'.length); },
  calls: function (n) { while (n--) { CACHE.fetch("k"); } return "done"; },
  value: function (n) {
    return attempt(function () { CACHE.store("k", text(n)); });
  },
  entry: function (key) {
    return attempt(function () { CACHE.store(key, "v"); });
  },
  log: function (n) { LOG.info(text(n)); return "done"; },
  spin: function (ms) { spin(ms); return "done"; },
  heap: function (mib) { var kept = [];
    while (mib--) { kept.push(new Uint8Array(1048576)); } return "done"; },
  count: function () { Object.prototype.left = ++executions;
    return executions + "/" + typeof leaked + (leaked = 1); }
};
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  return {status: 2000, user: {id: "u"},
          responsePayload: orders[order[0]](order[1])};
}
"""

# For the realm; "own" has its own values, all others these.
REALM_LIMITS = {"host_calls": 3, "result_kib": 1, "cache_value_kib": 1,
                "cache_entries": 3, "log_kib": 1, "heap_mib": 4,
                "data_kib": 1, "wall_ms": 2000 * SLOWNESS, "cpu_ms": 60000}
IDPS = ["plain", "own", "entries", "cpu", "kept"]


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm(*IDPS)
    realm.settings(attempts={"per_source_4xx": 100000, "window_secs": 300},
                   script=REALM_LIMITS)
    realm.idp("plain", ORDERS)
    realm.idp("own", ORDERS, script={
        "host_calls": 5, "result_kib": 2, "heap_mib": 16, "data_kib": 2,
        "cache_value_kib": 2, "log_kib": 2})
    realm.idp("entries", ORDERS)
    realm.idp("cpu", ORDERS, script={"cpu_ms": 300 * SLOWNESS})
    realm.idp("kept", ORDERS, script={"executions_per_process": 1000})
    return realm


def done(service, idp, order, argument, expected="done"):
    answer = service.complete(idp, [order, argument])
    assert answer.status_code == 200, answer.text + service.logs()
    if expected is not None:
        assert answer.json()["data"] == expected
    return answer


def fails(service, idp, order, argument, code, *words):
    answer = service.complete(idp, [order, argument])
    assert_error(answer, 500, "internal_server_error")
    entry = service.failure_of(answer)
    assert int(entry["code"]) == code, entry
    for word in words:
        assert any(word in str(value) for value in entry.values()), entry
    done(service, "plain", "calls", 1)


def around(limit):
    return [limit - 1, limit]


@pytest.mark.parametrize("idp, limit", [("plain", 3), ("own", 5)])
def test_host_calls(service, idp, limit):
    for calls in around(limit):
        done(service, idp, "calls", calls)
    fails(service, idp, "calls", limit + 1, 3012, "host calls")


@pytest.mark.parametrize("idp, limit", [("plain", 1024), ("own", 2048)])
def test_result(service, idp, limit):
    for size in around(limit):
        done(service, idp, "result", size, "x" * (size - 10))
    fails(service, idp, "result", limit + 1, 3004, str(limit))


@pytest.mark.parametrize("idp, limit", [("plain", 1024), ("own", 2048)])
def test_cache_value(service, idp, limit):
    for size in around(limit):
        done(service, idp, "value", size)
    done(service, idp, "value", limit + 1, "RangeError")


def test_cache_entries(service):
    for key in ("1", "2", "3", "1"):
        done(service, "entries", "entry", key)
    done(service, "entries", "entry", "4", "HostError")


@pytest.mark.parametrize("idp, limit", [("plain", 1024), ("own", 2048)])
def test_data(service, idp, limit):
    frame = len('["log", 1]')
    for size in (limit - 1, limit):
        answer = service.complete(idp, '["log", 1]' + " " * (size - frame))
        assert answer.status_code == 200, answer.text
    answer = service.complete(idp, '["log", 1]' + " " * (limit + 1 - frame))
    assert_error(answer, 413, "invalid_request")


def longest_line(service, answer):
    entries = until(
        lambda: service.log_of(answer.headers["X-Correlation-Id"]),
        "the log of the execution")
    return max(str(value).count("x") for entry in entries
               for value in entry.values())


@pytest.mark.parametrize("idp, limit", [("plain", 1024), ("own", 2048)])
def test_log_is_cut_and_the_run_goes_on(service, idp, limit):
    for size in around(limit):
        answer = done(service, idp, "log", size)
        assert longest_line(service, answer) == size
    answer = done(service, idp, "log", limit + 1)
    assert longest_line(service, answer) == limit


@pytest.mark.parametrize("idp, below, above",
                         [("plain", 2, 5), ("own", 5, 17)])
def test_heap(service, idp, below, above):
    done(service, idp, "heap", below)
    fails(service, idp, "heap", above, 3011)


def test_wall_clock(service):
    limit = REALM_LIMITS["wall_ms"]
    done(service, "plain", "spin", limit // 4)
    fails(service, "plain", "spin", limit * 2, 3010, "wall-clock")


def test_cpu_time(service):
    limit = 300 * SLOWNESS
    done(service, "cpu", "spin", limit // 4)
    fails(service, "cpu", "spin", limit * 5, 3010, "CPU")


def test_cpu_time_is_of_one_execution(service):
    """Twice the limit in all, no execution above it."""
    for _ in range(8):
        done(service, "cpu", "spin", 300 * SLOWNESS // 4)


def test_kept_processes_start_each_execution_anew(service):
    for n in range(60):
        done(service, "kept", "count", n, "1/undefined1")
    service.engine.signal(signal.SIGHUP)

    def reused():
        return max((int(entry.get("reused", 0))
                    for entry in service.engine.log_entries()), default=0)
    until(lambda: reused() >= 40, "the engine's counters to say so")


def test_one_process_an_execution_unless_asked(service):
    for _ in range(10):
        before = set(service.script_processes())
        done(service, "plain", "count", unique(), "1/undefined1")
        until(lambda: not before <= set(service.script_processes()),
              "the used process to be gone")
