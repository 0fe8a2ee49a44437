"""kill -9 of the engine, a template, a child, under load: back within a
second, nothing hangs, the gateway stays, no answer is wrong."""

import os
import signal
import threading
import time

import pytest
import requests

from harness import procfs
from harness.processes import SLOWNESS
from harness.service import assert_error, success, unique
from harness.standard import standard_realm
from harness.wait import until

# The issue asks for 1 s; a shared machine gets some room.
BACK_SECS = 2 * SLOWNESS

SPIN = """
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  if (order.counter) { CACHE.increment(order.counter); }
  var end = Date.now() + order.ms;
  while (Date.now() < end) {}
  return {status: 2000, user: {id: order.user}, responsePayload: order.user};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("spin")
    realm.idp("spin", SPIN, script={"cpu_ms": 5000})
    return realm


class Load:
    """Threads that call without pause and judge every answer."""

    def __init__(self, service, threads=4):
        self.service = service
        self.ended = threading.Event()
        self.problems = []
        self.successes = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(number,))
                        for number in range(threads)]

    def work(self, number):
        count = 0
        while not self.ended.is_set():
            count += 1
            user = f"user-{number}-{count}"
            begin = time.monotonic()
            try:
                answer = self.service.complete(
                    "mirror", success(user, responsePayload=user))
            except requests.RequestException as broken:
                self.problems.append(repr(broken))
                continue
            self.judge(answer, user, time.monotonic() - begin)

    def judge(self, answer, user, took):
        with self.lock:
            if took > 9 * SLOWNESS:
                self.problems.append(f"took {took} s")
            if answer.status_code == 200:
                self.successes += 1
                if answer.json()["data"] != user:
                    self.problems.append(f"{user} got {answer.text}")
            elif answer.status_code not in (500, 503):
                self.problems.append(answer.text)

    def wait_for_successes(self, more=20, secs=10):
        target = self.successes + more
        until(lambda: self.successes >= target, "the load to flow",
              secs * SLOWNESS)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_for_successes()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def kill_if_there(pid):
    """A child lives for one execution: it may have ended just now."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def back_within(service, load, secs):
    begin = time.monotonic()
    load.wait_for_successes(1)
    took = time.monotonic() - begin
    assert took < secs, f"back after {took:.2f} s"
    assert service.gateway.is_running()


def test_kill_a_child_under_load(service):
    with Load(service) as load:
        for _ in range(5):
            children = until(service.script_processes, "a child")
            kill_if_there(children[0])
            back_within(service, load, BACK_SECS)
    assert not load.problems


def test_kill_a_template_under_load(service):
    with Load(service) as load:
        for _ in range(5):
            templates = until(service.templates, "a template")
            kill_if_there(templates[0])
            back_within(service, load, BACK_SECS)
    assert not load.problems


def test_kill_the_engine_under_load(start, realm):
    service = start(realm)
    pid = service.gateway.pid
    with Load(service) as load:
        for _ in range(3):
            service.engine.kill()
            service.engine.start()
            back_within(service, load, BACK_SECS)
    assert not load.problems
    assert service.gateway.pid == pid


def test_a_killed_engine_leaves_no_runner(start, realm):
    service = start(realm)
    assert service.complete("mirror", success()).status_code == 200
    service.engine.kill()
    assert service.engine.leftovers() == []
    service.restart(service.engine)


def test_an_execution_without_effect_runs_again_elsewhere(start, realm):
    service = start(realm, engines=("one", "two"))
    results = []

    def call():
        results.append(service.complete(
            "spin", {"ms": 1500, "user": "again"}))
    thread = threading.Thread(target=call)
    thread.start()
    busy = until(lambda: running_engine(service), "the script to run")
    busy.kill()
    thread.join()
    assert results[0].status_code == 200, results[0].text
    assert results[0].json()["data"] == "again"
    assert service.count("postern_dispatch_events_total",
                         event="redispatched") >= 1
    service.restart(busy)


def running_engine(service):
    """The engine with a child that burns CPU."""
    if service.count("postern_jobs_running") < 1:
        return None
    for engine in service.engines.values():
        for pid in procfs.descendants(engine.pid):
            fields = procfs.stat_fields(pid)
            if fields and int(fields[11]) > 10:
                return engine
    return None


def test_an_execution_with_an_effect_is_of_unknown_fate(start, realm):
    realm_ = realm
    service = start(realm_)
    counter = unique()
    results = []

    def call():
        results.append(service.complete(
            "spin", {"ms": 2500, "user": "once", "counter": counter}))
    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: service.count("postern_host_calls_total") >= 1,
          "the effect")
    service.engine.kill()
    service.engine.start()
    thread.join()
    assert_error(results[0], 500, "internal_server_error")
    assert int(service.failure_of(results[0])["code"]) == 3015
    assert service.executions(idp="spin") == 1


def test_a_stopped_engine_is_passed_over(start, realm):
    """SIGSTOP: its tickets stay posted; jobs go to the other engine."""
    service = start(realm, engines=("one", "two"))
    service.engines["one"].signal(signal.SIGSTOP)
    try:
        for number in range(20):
            answer = service.complete(
                "mirror", success(f"u{number}", responsePayload=str(number)))
            assert answer.status_code == 200, answer.text
            assert answer.json()["data"] == str(number)
    finally:
        service.engines["one"].signal(signal.SIGCONT)
    until(lambda: service.count("postern_engines") == 2, "both engines", 15)


def test_engine_before_gateway(start, realm):
    """Either may come up first; here the gateway goes and comes back."""
    service = start(realm)
    service.gateway.kill()
    service.restart(service.gateway)
    assert service.complete("mirror", success()).status_code == 200
    assert service.engine.is_running()
