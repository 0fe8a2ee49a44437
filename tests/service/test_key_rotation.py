"""Signing keys: three slots, rotation, and verifiers that never fail."""

import json
import re
import signal
import threading
import time

import pytest
import requests
from jwcrypto import jwk, jwt

from harness.service import success
from harness.standard import standard_realm
from harness.wait import until

MAX_AGE_SECS = 2


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm()
    scopes = {"default_scopes": ["openid"], "idps": ["mirror"]}
    for alg in ("RS256", "ES256", "PS256"):
        realm.client(f"app-{alg}", id_token={"signing_alg": alg}, **scopes)
    return realm


def key_set(service):
    answer = requests.get(service.url + "/oauth/v1/keys", timeout=20)
    assert answer.status_code == 200
    return answer


def kids(service, alg):
    return [key["kid"] for key in key_set(service).json()["keys"]
            if key["alg"] == alg]


def id_token(service, alg):
    answer = service.complete("mirror", success("jane"), client=f"app-{alg}")
    assert answer.status_code == 200, answer.text
    return answer.json()["oauth_token"]["id_token"]


def kid_of(token):
    return json.loads(jwt.JWT(jwt=token).token.objects["protected"])["kid"]


def rotations(service, outcome="rotated"):
    return service.count("postern_key_rotations_total", outcome=outcome)


def rotate(service, number=signal.SIGUSR2, outcome="rotated"):
    before = rotations(service, outcome)
    service.gateway.signal(number)
    until(lambda: rotations(service, outcome) > before, f"keys {outcome}", 30)


class CachingVerifier:
    """Keeps the JWK set for exactly its max-age, and never asks twice."""

    def __init__(self, service):
        self.service = service
        self.keys = None
        self.until = 0

    def verify(self, token, alg):
        if time.monotonic() >= self.until:
            answer = key_set(self.service)
            age = re.fullmatch(r"public, max-age=(\d+)",
                               answer.headers["Cache-Control"])
            self.keys = jwk.JWKSet.from_json(answer.text)
            self.until = time.monotonic() + int(age[1])
        return jwt.JWT(jwt=token, key=self.keys, algs=[alg])


@pytest.mark.parametrize("alg", ["RS256", "ES256", "PS256"])
def test_slots_move_on(service, alg):
    rotate(service)
    current, following, previous = kids(service, alg)
    assert kid_of(id_token(service, alg)) == current
    old = id_token(service, alg)
    rotate(service)
    after = kids(service, alg)
    assert after[0] == following and after[2] == current
    assert after[1] not in (current, following, previous)
    assert previous not in after
    assert kid_of(id_token(service, alg)) == following
    CachingVerifier(service).verify(old, alg)


def test_no_private_member_is_published(service):
    for key in key_set(service).json()["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
        assert key["use"] == "sig"


def test_too_soon_is_refused(service):
    rotate(service)
    before = key_set(service).text
    rotate(service, signal.SIGUSR1, "too_soon")
    assert key_set(service).text == before
    assert "too recent" in service.gateway.log_text()


def test_rotation_survives_a_crash(start, realm):
    service = start(realm)
    token = id_token(service, "ES256")
    rotate(service)
    before = key_set(service).text
    service.gateway.kill()
    service.restart(service.gateway)
    assert key_set(service).text == before
    CachingVerifier(service).verify(token, "ES256")


def test_private_keys_are_sealed(service):
    content = b"".join(path.read_bytes()
                       for path in service.data_dir.glob("postern.db*"))
    # The object identifiers that stand in every PKCS#8 of RSA and EC.
    assert bytes.fromhex("2a864886f70d010101") not in content
    assert bytes.fromhex("2a8648ce3d0201") not in content


def test_no_verification_fails_under_rotation(start, realm):
    """Tokens of all algorithms are issued without pause while keys rotate;
    each is verified at once and again later by a verifier that keeps the set
    for its max-age. The rotations are as far apart as the verifier's cache and
    the age at which tokens are last verified."""
    service = start(realm, gateway_flags=[
        f"--jwks-max-age-secs={MAX_AGE_SECS}"])
    stop = threading.Event()
    verified, failures = [0], []

    def issue_and_verify(alg):
        verifier = CachingVerifier(service)
        kept = []
        while not stop.is_set():
            try:
                token = id_token(service, alg)
                kept.append((time.monotonic(), token))
                while kept[0][0] < time.monotonic() - MAX_AGE_SECS / 2:
                    kept.pop(0)
                for _, one in (kept[0], kept[-1]):
                    verifier.verify(one, alg)
                    verified[0] += 1
            except Exception as failure:  # counted below
                failures.append(f"{alg}: {failure!r}")
                return
    threads = [threading.Thread(target=issue_and_verify, args=(alg,))
               for alg in ("RS256", "ES256", "PS256")]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            since = time.monotonic()
            rotate(service)
            until(lambda: time.monotonic() > since + MAX_AGE_SECS * 1.5,
                  "caches to be renewed", 10)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
    assert verified[0] > 50
    print(f"{verified[0]} verifications over 4 rotations, 0 failed")
