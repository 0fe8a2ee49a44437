"""Audit events and their API (SPEC 1)."""

import signal
import time

import pytest
import requests

from harness.realm import SECRET
from harness.service import assert_error, success, unique
from harness.standard import standard_realm
from harness.wait import until

PATH = "/oauth/api/v1/events"


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm()
    realm.api_client("auditor", "events")
    return realm


def query(service, asker="auditor", secret=SECRET, **filters):
    return requests.get(service.url + PATH, params=filters,
                        auth=(asker, secret), timeout=60)


def events(service, **filters):
    answer = query(service, **filters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()["events"]


def event_of(service, answer, kind):
    """The event of this type that carries the answer's correlation id."""
    correlation_id = answer.headers["X-Correlation-Id"]

    def find():
        return next((event for event in events(service, type=kind)
                     if event.get("correlation_id") == correlation_id), None)
    return until(find, f"{kind} of {correlation_id}")


PREFIX = "CUSTOM_REGISTRATION_"


def test_a_registration(service):
    init = service.init("two")
    event = event_of(service, init, PREFIX + "INIT_SUCCESS")
    assert event["client_id"] == "app" and event["idp"] == "two"
    assert event["source"] == "127.0.0.1"
    assert len(event["release"]) == 64
    assert abs(event["time"] - time.time()) < 60
    done = service.complete("two", success("jane"),
                            init.json()["transaction_id"])
    event = event_of(service, done, PREFIX + "COMPLETE_SUCCESS")
    assert event["sub"] == "two|jane" and event["detail"] == "2000"
    assert event["client_id"] == "app" and event["idp"] == "two"


def test_failures_of_a_registration(service):
    answer = service.complete("mirror", {"status": 4001})
    event = event_of(service, answer, PREFIX + "COMPLETE_FAILED")
    assert event["detail"] == "4001" and "sub" not in event
    answer = service.complete("mirror", {"status": 2000})
    event_of(service, answer, PREFIX + "COMPLETE_SCRIPT_ERROR")
    answer = service.complete("mirror", "{no json")
    event = event_of(service, answer, PREFIX + "COMPLETE_SCRIPT_ERROR")
    assert event["detail"]
    answer = service.backchannel("mirror", {"status": 2000})
    event = event_of(service, answer, PREFIX + "BACKCHANNEL_SUCCESS")
    assert event["client_id"] == "backend"


def test_transactions(service):
    answer = service.complete("two", success(), "A" * 64)
    event_of(service, answer, PREFIX + "COMPLETE_INVALID_TRANSACTION")
    transaction = service.transaction(client="other")
    answer = service.complete("two", success(), transaction)
    assert_error(answer, 400, "invalid_transaction")
    event_of(service, answer, PREFIX + "COMPLETE_TRANSACTION_TAMPERING")
    # And it is unharmed.
    answer = service.complete("two", success(), transaction, client="other")
    assert answer.status_code == 200
    answer = service.complete("two", success(), transaction, client="other")
    event_of(service, answer, PREFIX + "COMPLETE_INVALID_TRANSACTION")


def test_authentication(service):
    answer = service.complete("mirror", success(), auth=("app", "wrong"))
    event = event_of(service, answer, "CLIENT_AUTHENTICATION_FAILED")
    assert event["client_id"] == "app" and event["detail"] == "client"
    # What could be no client id is not kept.
    answer = service.complete("mirror", success(),
                              auth=("<script>", "wrong"))
    event = event_of(service, answer, "CLIENT_AUTHENTICATION_FAILED")
    assert "client_id" not in event


def test_keys_and_realm(service):
    service.gateway.signal(signal.SIGUSR2)
    until(lambda: events(service, type="JWT_KEYS_ROTATED"), "the event")
    service.reload()
    assert len(until(lambda: events(service, type="REALM_LOADED")[1:],
                     "the event")) >= 1


def test_nothing_secret_is_stored(service):
    answer = service.complete("mirror", success("jane"), auth=("app", "pw-x9"))
    event_of(service, answer, "CLIENT_AUTHENTICATION_FAILED")
    transaction = service.transaction()
    service.complete("two", success(), transaction)
    text = query(service, limit=1000).text
    assert "pw-x9" not in text and SECRET not in text
    assert transaction not in text


def test_pages(service):
    user = unique("pages")
    for _ in range(7):
        last = service.complete("mirror", success(user))
    event_of(service, last, PREFIX + "COMPLETE_SUCCESS")
    everything = events(service, sub=f"mirror|{user}")
    numbers = [event["number"] for event in everything]
    assert len(numbers) == 7 and numbers == sorted(numbers, reverse=True)
    forth, after = [], 0
    while after is not None:
        page = query(service, sub=f"mirror|{user}", after=after,
                     limit=3).json()
        forth += [event["number"] for event in page["events"]]
        after = page.get("next_after")
    assert forth == numbers[::-1]
    back, before = [], None
    while True:
        more = {} if before is None else {"before": before}
        page = query(service, sub=f"mirror|{user}", limit=3, **more).json()
        back += [event["number"] for event in page["events"]]
        before = page.get("next_before")
        if before is None:
            break
    assert back == numbers


def test_filters(service):
    user = unique("filters")
    answer = service.complete("mirror", success(user), client="es256")
    event = event_of(service, answer, PREFIX + "COMPLETE_SUCCESS")
    hit = {"sub": f"mirror|{user}"}
    now = event["time"]
    for more in ({"client": "es256"}, {"idp": "mirror"},
                 {"type": PREFIX + "COMPLETE_SUCCESS"},
                 {"from": now}, {"until": now + 1}):
        assert len(events(service, **hit, **more)) == 1, more
    for more in ({"client": "app"}, {"idp": "two"},
                 {"type": PREFIX + "INIT_SUCCESS"},
                 {"from": now + 1}, {"until": now}):
        assert not events(service, **hit, **more), more


@pytest.mark.parametrize("filters", [
    {"type": "NO_SUCH_EVENT"}, {"limit": 0}, {"limit": 1001}, {"limit": "x"},
    {"after": -1}, {"after": 1, "before": 2}, {"from": "yesterday"},
    {"after": "9" * 30}])
def test_bad_queries(service, filters):
    assert_error(query(service, **filters), 400, "invalid_request")


def test_who_may_ask(service):
    assert_error(query(service, asker="backend"), 403,
                 "insufficient_permissions")
    for asker, secret in (("auditor", "wrong"), ("app", SECRET)):
        answer = query(service, asker, secret)
        assert_error(answer, 401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_they_survive_a_stop(start, realm):
    service = start(realm)
    answer = service.complete("mirror", success("kept"))
    assert answer.status_code == 200
    # At once: a stop writes what waits.
    service.gateway.stop()
    service.restart(service.gateway)
    assert len(events(service, sub="mirror|kept")) == 1


def test_the_oldest_go_first(start, realm):
    service = start(realm, gateway_flags=["--events-keep-max=1000"])
    for _ in range(8):
        for _ in range(160):
            service.complete("mirror", {"status": 4000})

    def trimmed():
        page = query(service, after=0, limit=1).json()["events"]
        return page[0]["number"] > 200
    until(trimmed, "the oldest events to go", 30)
    until(lambda: events(service, limit=1)[0]["number"] > 1280,
          "the last event")
    assert 900 <= len(events(service, limit=1000)) <= 1000
