"""Too much work, or nobody to do it: 503 with Retry-After, before anything
was claimed or started."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.processes import SLOWNESS
from harness.service import assert_error, success
from harness.standard import MIRROR_INIT, standard_realm
from harness.wait import until

BUSY = """
function execute(requestPayload) {
  var end = Date.now() + 1000;
  while (Date.now() < end) {}
  return {status: 2000, user: {id: "busy"}};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("busy", "pinned")
    realm.idp("busy", BUSY, script={"cpu_ms": 5000})
    realm.idp("pinned", BUSY, init=MIRROR_INIT, engines=["elsewhere"])
    return realm


def assert_unavailable(answer):
    assert_error(answer, 503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_full_queue_refuses_at_once(start, realm):
    service = start(realm, gateway_flags=["--queue-max=2"],
                    engine_flags=["--slots=1"])
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: service.complete("busy"), range(16)))
    good = [a for a in answers if a.status_code == 200]
    refused = [a for a in answers if a.status_code == 503]
    assert len(good) + len(refused) == 16
    assert good and refused
    for answer in refused:
        assert_unavailable(answer)
    assert service.count("postern_queue_refused_total") >= len(refused)
    assert service.executions(idp="busy") == len(good)
    assert service.count("postern_queue_length") == 0


def test_waiting_longer_than_the_queue_allows(start, realm):
    service = start(realm, gateway_flags=["--queue-ms=300"],
                    engine_flags=["--slots=1"])
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: service.complete("busy"), range(4)))
    assert any(a.status_code == 200 for a in answers)
    for answer in answers:
        if answer.status_code != 200:
            assert_unavailable(answer)


def test_no_engine(start, realm):
    service = start(realm)
    transaction = service.transaction()
    service.engine.kill()
    until(lambda: service.count("postern_engines") == 0, "the loss", 10)
    begin = time.monotonic()
    assert_unavailable(service.complete("two", success(), transaction))
    assert time.monotonic() - begin < 5 * SLOWNESS
    assert not service.is_ready()
    service.restart(service.engine)
    # Refused before the claim: the transaction is as good as new.
    assert service.complete("two", success(), transaction).status_code == 200


def test_no_engine_with_the_label(start, realm):
    service = start(realm)
    assert_unavailable(service.init("pinned"))
    assert service.complete("mirror", success()).status_code == 200


def test_an_engine_with_the_label(start, realm):
    service = start(realm, engine_flags=["--labels=here,elsewhere"])
    assert service.init("pinned").status_code == 200


def test_a_deadline_ends_a_request_in_time(start):
    realm = standard_realm("long")
    realm.idp("long", BUSY.replace("1000", "60000"),
              script={"wall_ms": 30000, "cpu_ms": 60000})
    service = start(realm, gateway_flags=["--request-ms=1500",
                                          "--queue-ms=500"])
    begin = time.monotonic()
    answer = service.complete("long")
    assert answer.status_code in (500, 503)
    assert time.monotonic() - begin < 1.5 + 3 * SLOWNESS


def test_draining_finishes_what_runs(start, realm):
    service = start(realm)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(service.complete, "busy")
        until(lambda: service.count("postern_jobs_running") == 1, "the run")
        service.expected_ends.add(service.gateway)
        assert service.gateway.stop() == 0
        assert call.result().status_code == 200
