"""Resource faults: a full disk, few descriptors, no memory, an fsync that
fails, a wall clock that jumps. Answers get worse, never wrong; nothing dies on
a request's path; what is mended recovers by itself."""

import json
import os
import resource
import socket
import sqlite3
import time

import pytest
import requests
from jwcrypto import jwk, jws

from harness.faults import FOREVER, SHIM, Faults
from harness.oauth import (grant, is_active, key_set, oauth_realm, refresh,
                           refreshed)
from harness.processes import SANITIZED, SLOWNESS
from harness.service import (CALL_SECS, Service, assert_error, success,
                             unique)
from harness.wait import until

# sysexits.h EX_SOFTWARE, as the operator's guide says.
EXIT_NOT_DURABLE = 70

DISK = "12m"

with_shim = pytest.mark.skipif(
    SANITIZED or not SHIM.exists(),
    reason="a sanitizer has the allocator, or the shim was not built")


def user(name=None, **members):
    return success(name or unique("user"), **members)


def complete(service, **options):
    return service.complete("mirror", user(), **options)


@pytest.fixture
def begin():
    """begin(prepare): a service of which prepare(service) sees the processes
    before they start."""
    services = []

    def begin_one(prepare=lambda service: None, **options):
        service = Service(oauth_realm(), **options)
        prepare(service)
        services.append(service)
        return service.__enter__()

    yield begin_one
    problems = []
    for service in services:
        problems += service.sanitizer_reports()
        print(service.logs())
        problems += service.end()
    assert not problems, problems


# -- disk -------------------------------------------------------------------------

def on_small_disk(service):
    """data_dir becomes a tmpfs that only the gateway sees."""
    service.data_dir.mkdir()
    service.gateway.prefix = [
        "unshare", "--mount", "--propagation", "private", "sh", "-c",
        f"mount -t tmpfs -o size={DISK} tmpfs {service.data_dir} &&"
        ' exec "$@"', "sh"]


def fill(service):
    """What is left of the gateway's disk; the file that took it."""
    filler = f"/proc/{service.gateway.pid}/root{service.data_dir}/filler"
    with open(filler, "wb", buffering=0) as file:
        size = 65536
        while size > 0:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return filler


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_lets_reads_go_on_and_recovers(begin):
    service = begin(on_small_disk)
    tokens = grant(service)
    transaction = service.transaction()
    filler = fill(service)

    def is_noticed():
        return service.init("two").status_code == 503
    until(is_noticed, "the disk to be full", CALL_SECS)
    until(lambda: not service.is_ready(), "not ready", CALL_SECS)
    ran = service.executions()
    for answer in (service.init("two"), complete(service),
                   service.complete("two", "{}", transaction=transaction),
                   refresh(service, tokens["refresh_token"])):
        assert_error(answer, 503, "temporarily_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    # Refused before any script ran, and reads go on.
    assert service.executions() == ran
    assert is_active(service, tokens["access_token"])
    assert requests.get(service.url + "/oauth/v1/keys",
                        timeout=CALL_SECS).status_code == 200
    os.unlink(filler)
    until(lambda: complete(service).status_code == 200, "recovery", CALL_SECS)
    service.wait_ready()
    assert refreshed(service, tokens["refresh_token"])
    answer = service.complete("two", user(), transaction=transaction)
    assert answer.status_code == 200, answer.text
    service.assert_unharmed()


# -- durability --------------------------------------------------------------------

@with_shim
def test_a_failed_fsync_stops_the_gateway_and_a_restart_recovers(begin):
    faults = []
    service = begin(lambda s: faults.append(Faults(s.gateway)))
    [fault] = faults
    tokens = grant(service)
    fault.begin()
    fault["sync_fails"] = 1
    try:
        answer = complete(service)
        assert answer.status_code >= 500, answer.text
    except requests.ConnectionError:
        pass
    assert service.gateway.popen.wait(30 * SLOWNESS) == EXIT_NOT_DURABLE
    assert fault["sync_failed"] > 0
    assert "the disk did not confirm a write" in service.gateway.log_text()
    fault["sync_fails"] = 0
    service.restart(service.gateway)
    assert is_active(service, tokens["access_token"])
    assert complete(service).status_code == 200
    store = sqlite3.connect(service.data_dir / "postern.db")
    assert store.execute("pragma integrity_check").fetchone() == ("ok",)
    store.close()


# -- descriptors -------------------------------------------------------------------

DESCRIPTORS = 64


def few_descriptors(service):
    for process in service.processes():
        process.limits[resource.RLIMIT_NOFILE] = DESCRIPTORS


def test_with_64_descriptors_nothing_dies_and_it_recovers(begin):
    """More connections than descriptors: some wait or fail, all that are
    answered are answered right."""
    service = begin(few_descriptors, gateway_flags=("--threads=16",),
                    engine_flags=("--slots=2",))
    tokens = grant(service)
    idle = []
    try:
        for _ in range(2 * DESCRIPTORS):
            one = socket.create_connection(("127.0.0.1", service.port), 5)
            idle.append(one)
        for _ in range(8):
            try:
                answer = complete(service, timeout=1)
                assert answer.status_code in (200, 503), answer.text
            except requests.RequestException:
                pass
    finally:
        for one in idle:
            one.close()
    service.assert_unharmed()
    until(lambda: try_complete(service) == 200, "recovery", CALL_SECS)
    assert is_active(service, tokens["access_token"])


def try_complete(service):
    try:
        return complete(service, timeout=2 * SLOWNESS).status_code
    except requests.RequestException:
        return None


# -- memory -------------------------------------------------------------------------

@with_shim
@pytest.mark.parametrize("name", ["gateway", "engine"])
def test_without_memory_for_a_while_nothing_dies(begin, name):
    faults = []
    service = begin(lambda s: faults.append(Faults(getattr(s, name))))
    [fault] = faults
    tokens = grant(service)
    fault.begin()
    for _ in range(5):
        fault.fail_allocation(1, FOREVER)
        try:
            answer = complete(service, timeout=2)
            assert answer.status_code >= 500 or "oauth_token" in answer.json()
        except requests.RequestException:
            pass
        fault.relent()
        until(lambda: try_complete(service) == 200, "recovery", CALL_SECS)
    assert is_active(service, tokens["access_token"])
    service.assert_unharmed()


# -- the clock -----------------------------------------------------------------------

DAY = 24 * 3600


@with_shim
@pytest.mark.parametrize("step", [DAY, -DAY])
def test_the_wall_clock_may_step(begin, step):
    """Tokens bear the clock's time; deadlines do not hear of it."""
    faults = []
    service = begin(lambda s: faults.append(Faults(s.gateway)))
    [fault] = faults
    before = grant(service)
    fault.begin()
    fault["wall_secs"] = step
    now = time.time() + step
    began = time.monotonic()
    after = grant(service)
    assert time.monotonic() - began < 10 * SLOWNESS
    claims = claims_of(service, after)
    assert abs(claims["iat"] - now) < 60 * SLOWNESS
    assert claims["exp"] > claims["iat"]
    assert is_active(service, after["access_token"])
    # What was issued before ended, or is still good: as the clock has it.
    assert is_active(service, before["access_token"]) == (step < 0)
    # An engine's and a script's times are not of this clock.
    assert complete(service).status_code == 200
    fault["wall_secs"] = 0
    if step < 0:
        assert not is_active(service, after["access_token"])
    assert is_active(service, before["access_token"])
    assert complete(service).status_code == 200
    service.assert_unharmed()


def claims_of(service, tokens):
    """The id_token's, verified but for its times."""
    token = jws.JWS()
    token.deserialize(tokens["id_token"])
    keys = jwk.JWKSet.from_json(json.dumps(key_set(service)))
    kid = token.jose_header["kid"]
    token.verify(keys.get_key(kid))
    return json.loads(token.payload)
