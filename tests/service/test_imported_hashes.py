"""Secrets that came as hashes from elsewhere (SPEC 1)."""

import base64
import hashlib
import json
import threading
import time

import pytest
import requests

from harness.service import assert_error, success, unique
from harness.standard import standard_realm

PATH = "/oauth/custom-registration/mirror/complete"
SECRET = "correct horse"

# Made once for SECRET, at low cost.
ARGON2ID = (
    "$argon2id$v=19$m=16384,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$P/PNQR"
    "kp0AbOJe9UxLEHV4B9BvaxKNfPoWogh+CQArg")
BCRYPT = "$2b$05$KBCwKxOzLha2MUDgW0PjXeiB68uDfBmXvTUyyqNxAD2eaQ43eHNkm"
YESCRYPT = (
    "$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$E9XAySfP6N2THWdzNKesSVmhpcmhNu"
    "sa8y5TMfT668.")


def pbkdf2(secret, rounds=1000, alphabet=b"./", form="{}"):
    salt = b"\xfb\xff" + b"salt of many bytes"
    key = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, rounds)

    def text(raw):
        return base64.b64encode(raw, alphabet).rstrip(b"=").decode()
    return f"$pbkdf2-sha256${form.format(rounds)}${text(salt)}${text(key)}"


HASHES = {
    "argon2id": ARGON2ID, "bcrypt": BCRYPT, "yescrypt": YESCRYPT,
    "pbkdf2-passlib": pbkdf2(SECRET), "pbkdf2-plus": pbkdf2(
        SECRET, alphabet=b"+/"),
    "pbkdf2-i": pbkdf2(SECRET, form="i={}"),
    "pbkdf2-i-l": pbkdf2(SECRET, form="i={},l=32"),
}

SLOW = pbkdf2("slow", rounds=1500000)


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm()
    keys = {"idps": ["mirror"], "default_scopes": ["read"]}
    for name, text in HASHES.items():
        realm.client(name, client_secret={"hash": text}, **keys)
    realm.client("slow", client_secret={"hash": SLOW}, **keys)
    realm.client("slow-off", client_secret={"hash": SLOW}, enabled=False,
                 **keys)
    realm.api_client("api-bcrypt", "user_registration",
                     client_secret={"hash": BCRYPT})
    return realm


def call(service, client, secret):
    return service.post(PATH, {"data": json.dumps(success())},
                        auth=(client, secret))


def computed(service):
    name = "postern_secret_hashes_total"
    return sum(service.count(name, outcome=outcome)
               for outcome in ("right", "wrong"))


@pytest.mark.parametrize("client", HASHES)
def test_right_and_wrong(service, client):
    assert_error(call(service, client, SECRET + "x"), 400, "invalid_client")
    assert_error(call(service, client, ""), 400, "invalid_client")
    answer = call(service, client, SECRET)
    assert answer.status_code == 200, answer.text
    assert SECRET not in service.gateway.log_text()


def test_api_client(service):
    answer = service.backchannel("mirror", {"status": 2000}, client=None,
                                 auth=("api-bcrypt", SECRET))
    assert answer.status_code == 200, answer.text
    answer = service.backchannel("mirror", {"status": 2000}, client=None,
                                 auth=("api-bcrypt", "wrong"))
    assert_error(answer, 400, "invalid_client")


def test_both_outcomes_are_remembered(service):
    wrong = unique("wrong")
    call(service, "argon2id", SECRET)
    call(service, "argon2id", wrong)
    before = computed(service)
    for _ in range(3):
        assert call(service, "argon2id", SECRET).status_code == 200
    assert_error(call(service, "argon2id", wrong), 400, "invalid_client")
    assert computed(service) == before


def test_many_at_once_compute_one(service):
    before = computed(service)
    statuses = []

    def one():
        statuses.append(call(service, "slow", "slow").status_code)
    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8
    assert computed(service) == before + 1


def test_a_disabled_client_costs_nothing(service):
    before = computed(service)
    assert_error(call(service, "slow-off", "slow"), 400, "invalid_client")
    assert computed(service) == before


def test_too_many_are_turned_away(start, realm):
    """Different wrong secrets from many sources: the queue is bounded, and
    whoever needs no hash is served meanwhile."""
    service = start(realm, gateway_flags=["--trusted-proxy=127.0.0.1",
                                          "--request-ms=3000"])
    statuses = []

    def guess(number):
        answer = requests.post(
            service.url + PATH, json={}, auth=("slow", f"guess {number}"),
            headers={"X-Forwarded-For": f"192.0.2.{number}"}, timeout=60)
        statuses.append((answer.status_code, answer.json()["error"],
                         answer.headers.get("Retry-After")))
    threads = [threading.Thread(target=guess, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert service.complete("mirror", success()).status_code == 200
    took = time.monotonic() - began
    for thread in threads:
        thread.join()
    busy = [s for s in statuses if s[0] == 503]
    assert len(busy) >= 20, statuses
    assert all(s[1] == "temporarily_unavailable" and s[2] for s in busy)
    assert all(s[1] == "invalid_client" for s in statuses if s[0] == 400)
    assert took < 2.5
    assert service.count("postern_secret_hashes_total", outcome="busy") > 0


def test_another_hash_is_another_secret(start):
    realm = standard_realm()
    keys = {"idps": ["mirror"], "default_scopes": ["read"]}
    realm.client("moving", client_secret={"hash": pbkdf2("one")}, **keys)
    service = start(realm)
    assert call(service, "moving", "one").status_code == 200
    realm.client("moving", client_secret={"hash": pbkdf2("two")}, **keys)
    service.reload()
    assert_error(call(service, "moving", "one"), 400, "invalid_client")
    assert call(service, "moving", "two").status_code == 200
