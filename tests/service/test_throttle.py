"""Throttling of failed authentications (SPEC 1): nobody is kept waiting, a
penalised guess is refused unseen, and no success is locked out."""

import threading
import time

import pytest
import requests

from harness.realm import SECRET
from harness.service import Service, assert_error, success, unique
from harness.standard import standard_realm

PATH = "/oauth/custom-registration/mirror/complete"


@pytest.fixture(scope="module")
def running_service(realm):
    flags = ["--trusted-proxy=127.0.0.1", "--keys-rotate-days=0"]
    with Service(realm, gateway_flags=flags) as service:
        yield service


@pytest.fixture(scope="module")
def realm():
    return standard_realm()


def call(service, source, client, secret, path=PATH):
    return requests.post(
        service.url + path, json={"data": '{"status":4000}'},
        auth=(client, secret), headers={"X-Forwarded-For": source},
        timeout=60)


def throttled(service, by=None):
    labels = {} if by is None else {"by": by}
    return service.count("postern_auth_throttled_total", **labels)


def new_source():
    new_source.count += 1
    return f"198.51.{new_source.count // 250}.{new_source.count % 250 + 1}"


new_source.count = 0


def test_five_failures_are_free(service):
    source = new_source()
    before = throttled(service)
    for _ in range(5):
        assert_error(call(service, source, "app", "wrong"), 400,
                     "invalid_client")
    assert call(service, source, "app", SECRET).status_code == 200
    assert throttled(service) == before


def test_from_the_sixth_on_nothing_is_looked_at(service):
    source = new_source()
    texts = {call(service, source, "app", "wrong").text for _ in range(12)}
    before = throttled(service, "client")
    answer = call(service, source, "app", SECRET)
    # The same answer, and at once, though the secret is right.
    assert_error(answer, 400, "invalid_client")
    assert texts == {answer.text}
    assert throttled(service, "client") == before + 1
    # Another source, and another client of this one, are not slowed.
    assert call(service, new_source(), "app", SECRET).status_code == 200
    assert call(service, source, "other", SECRET).status_code == 200


def test_the_penalty_ends(service):
    source = new_source()
    for _ in range(6):
        call(service, source, "app", "wrong")
    deadline = time.monotonic() + 20
    while call(service, source, "app", SECRET).status_code != 200:
        assert time.monotonic() < deadline


def test_a_known_pair_is_exempt(service):
    source = new_source()
    assert call(service, source, "app", SECRET).status_code == 200
    for _ in range(60):
        assert_error(call(service, source, "app", "wrong"), 400,
                     "invalid_client")
    assert call(service, source, "app", SECRET).status_code == 200
    # Its source is penalised by now for everybody else.
    assert_error(call(service, source, "other", SECRET), 400,
                 "invalid_client")


def test_a_source_with_many_client_ids(service):
    source = new_source()
    before = throttled(service, "source")
    for number in range(70):
        assert_error(call(service, source, unique("guess"), "x"), 400,
                     "invalid_client")
    assert throttled(service, "source") > before
    assert call(service, new_source(), "app", SECRET).status_code == 200


def test_an_ipv6_source_is_its_64(service):
    for number in range(60):
        call(service, f"2001:db8:1:2:{number:x}::1", unique("guess"), "x")
    before = throttled(service, "source")
    assert_error(call(service, "2001:db8:1:2:ffff::9", "other", SECRET), 400,
                 "invalid_client")
    assert throttled(service, "source") == before + 1
    assert call(service, "2001:db8:1:3::1", "app", SECRET).status_code == 200


def test_api_clients_too(service):
    source = new_source()
    path = "/oauth/api/v3/custom-registration/mirror/backchannel"
    for _ in range(8):
        assert_error(call(service, source, "backend", "wrong", path), 400,
                     "invalid_client")
    assert_error(call(service, source, "backend", SECRET, path), 400,
                 "invalid_client")
    assert call(service, new_source(), "backend", SECRET,
                path).status_code == 200


def test_without_a_proxy_the_header_counts_for_nothing(start, realm):
    service = start(realm)
    for number in range(8):
        call(service, f"203.0.113.{number}", "app", "wrong")
    assert_error(call(service, "203.0.113.99", "app", SECRET), 400,
                 "invalid_client")
    assert throttled(service, "client") > 0


def test_nobody_waits_for_an_attacker(service):
    """Guessing threads, all penalised, hold no worker."""
    known = new_source()
    assert call(service, known, "app", SECRET).status_code == 200
    stop = threading.Event()
    attacker = new_source()

    def guess():
        while not stop.is_set():
            call(service, attacker, "app", "wrong")
    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        slowest = 0
        for _ in range(30):
            began = time.monotonic()
            assert call(service, known, "app", SECRET).status_code == 200
            slowest = max(slowest, time.monotonic() - began)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert slowest < 3


def test_the_answers_of_success_are_unchanged(service):
    answer = service.complete("mirror", success())
    assert answer.status_code == 200, answer.text
