"""A transaction: claimed once, bound, counted, expiring (SPEC 1)."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.service import assert_error, success, unique
from harness.standard import (CACHE_ORDERS, COUNTING, MIRROR_INIT,
                              standard_realm)
from harness.wait import until

PARALLEL = 100

# Tells that it runs, then holds on, so that a crash can come in between.
SLOW = """
function execute(requestPayload) {
  CACHE.increment(requestPayload);
  var end = Date.now() + 3000;
  while (Date.now() < end) {}
  return {status: 2000, user: {id: "slow"}};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("slow")
    realm.idp("slow", SLOW, init=MIRROR_INIT, script={"cpu_ms": 5000},
              cache_namespace="shared")
    realm.idp("counting", COUNTING, init=MIRROR_INIT,
              cache_namespace="shared")
    realm.idp("cache", CACHE_ORDERS, cache_namespace="shared")
    return realm


def in_parallel(calls, count=PARALLEL):
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(calls) for _ in range(count)]
        return [future.result() for future in futures]


def test_100_parallel_completes_are_one_grant(service):
    transaction = service.transaction("counting")
    counter = unique()
    order = {"counter": counter, "result": success("only-one")}
    executions = service.executions()
    answers = in_parallel(
        lambda: service.complete("counting", order, transaction))
    granted = [a for a in answers if a.status_code == 200]
    refused = [a for a in answers if a.status_code == 400]
    assert len(granted) == 1
    assert len(refused) == PARALLEL - 1
    assert all(a.json()["error"] == "invalid_transaction" for a in refused)
    assert "access_token" in granted[0].json()["oauth_token"]
    assert service.cache(["fetch", counter]) == ["1"]
    assert service.executions() == executions + 2  # and the look at the cache


def test_a_spent_transaction_stays_spent(service):
    transaction = service.transaction()
    assert service.complete("two", success(), transaction).status_code == 200
    for _ in range(3):
        assert_error(service.complete("two", success(), transaction), 400,
                     "invalid_transaction")


def test_5xxx_spends_it(service):
    transaction = service.transaction()
    answer = service.complete("two", {"status": 5000}, transaction)
    assert answer.json()["status"] == 5000
    assert_error(service.complete("two", success(), transaction), 400,
                 "invalid_transaction")


def test_a_script_failure_spends_it(service):
    transaction = service.transaction()
    answer = service.complete("two", "not JSON", transaction)
    assert_error(answer, 500, "internal_server_error")
    assert_error(service.complete("two", success(), transaction), 400,
                 "invalid_transaction")


def test_4xxx_gives_it_back_for_five_attempts(service):
    transaction = service.transaction()
    for _ in range(4):
        answer = service.complete("two", {"status": 4000}, transaction)
        assert answer.json()["status"] == 4000
    assert service.complete("two", success(), transaction).status_code == 200

    transaction = service.transaction()
    for _ in range(5):
        answer = service.complete("two", {"status": 4000}, transaction)
        assert answer.status_code == 200
    assert_error(service.complete("two", success(), transaction), 400,
                 "invalid_transaction")


def test_what_fails_before_the_script_does_not_touch_it(service):
    transaction = service.transaction()
    service.complete("two", success(), transaction, members={"scope": ["no"]})
    service.complete("two", success(), transaction, auth=("app", "wrong"))
    service.complete("two", success(), transaction, client="takes-profile",
                     members={"profile_id": "x"})
    assert service.complete("two", success(), transaction).status_code == 200


def test_bound_to_its_client(service):
    transaction = service.transaction(client="app")
    assert_error(service.complete("two", success(), transaction,
                                  client="other"), 400, "invalid_transaction")
    assert service.complete("two", success(), transaction).status_code == 200


def test_bound_to_its_idp(service):
    transaction = service.transaction("two")
    order = {"counter": unique(), "result": success()}
    assert_error(service.complete("counting", order, transaction), 400,
                 "invalid_transaction")
    assert service.complete("two", success(), transaction).status_code == 200


def test_the_database_does_not_hold_it(service):
    transaction = service.transaction()
    for path in service.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert transaction.encode() not in content, path
            try:
                raw = bytes.fromhex(transaction)
            except ValueError:
                continue
            assert raw not in content, path


def test_expiry(start):
    realm = standard_realm()
    realm.settings(transaction={"lifetime_secs": 5, "attempts": 5})
    service = start(realm)
    assert service.complete(
        "two", success(), service.transaction()).status_code == 200
    transaction = service.transaction()
    born = time.time()
    until(lambda: time.time() > born + 6.1, "the transaction's end")
    assert_error(service.complete("two", success(), transaction), 400,
                 "invalid_transaction")


def test_killed_between_claim_and_answer_never_grants_twice(start, realm):
    service = start(realm)
    transaction = service.transaction("slow")
    counter = unique()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(service.complete, "slow", counter, transaction)
        until(lambda: service.cache(["fetch", counter]) == ["1"],
              "the script to run")
        service.gateway.kill()
        with pytest.raises(requests.ConnectionError):
            call.result()
    service.restart(service.gateway)
    answers = in_parallel(
        lambda: service.complete("slow", counter, transaction), 20)
    for answer in answers:
        assert_error(answer, 400, "invalid_transaction")
    assert service.cache(["fetch", counter]) == ["1"]


def test_an_open_transaction_survives_a_kill(start, realm):
    service = start(realm)
    transaction = service.transaction()
    service.gateway.kill()
    service.restart(service.gateway)
    assert service.complete("two", success(), transaction).status_code == 200


def test_complete_runs_the_release_that_init_ran(start):
    def version(number):
        return MIRROR_INIT, f"""function execute() {{
            return {{status: 2000, user: {{id: "v"}}, responsePayload: {number}}};
        }}"""
    realm = standard_realm("pinned")
    init, complete = version(1)
    realm.idp("pinned", complete, init=init)
    service = start(realm)
    before, kept = (service.transaction("pinned") for _ in range(2))
    init, complete = version(2)
    realm.idp("pinned", complete, init=init)
    service.reload()
    after = service.transaction("pinned")
    assert service.complete("pinned", None, before).json()["data"] == "1"
    assert service.complete("pinned", None, after).json()["data"] == "2"
    service.gateway.kill()
    service.restart(service.gateway)
    assert service.complete("pinned", None, kept).json()["data"] == "1"


def test_attempts_per_source_are_limited(start):
    """init again is no way around the attempt limit."""
    realm = standard_realm()
    realm.settings(attempts={"per_source_4xx": 3, "window_secs": 300})
    service = start(realm)
    for _ in range(3):
        answer = service.complete("mirror", {"status": 4000})
        assert answer.json()["status"] == 4000
    executions = service.executions()
    answer = service.complete("mirror", success())
    assert_error(answer, 429, "too_many_attempts")
    assert int(answer.headers["Retry-After"]) > 0
    assert service.executions() == executions
    assert service.complete("mirror", success(),
                            client="other").status_code == 200
    assert service.complete("two", success(),
                            service.transaction()).status_code == 200
