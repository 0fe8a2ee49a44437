"""An attacker with 100,000 client ids and 10,000 sources (SPEC 1): its
failures evict nobody's success, free no guesser, and slow nobody else."""

import shutil
import statistics
import subprocess
import threading
import time

import pytest

from harness import oauth, procfs
from harness.npm import SOURCE
from harness.oauth import grant
from harness.realm import SECRET
from harness.service import Service

CLIENT_IDS = 100_000
SOURCES = 10_000
RUN_SECS = 5
RUNS_MAX = 24

# From 100 ms, doubling, to 5 s: this many failures.
PENALTY_MAX_SECS = 5
LADDER = 7

KNOWN, GUESSER = "203.0.113.1", "203.0.113.2"
INTROSPECT = "/oauth/api/v2/token/introspect"


@pytest.fixture(scope="module")
def running_service():
    with Service(oauth.oauth_realm(),
                 gateway_flags=["--trusted-proxy=127.0.0.1"]) as service:
        yield service


def failures(service):
    """Of clients; the bystanders are API clients."""
    return service.count("postern_client_auth_total", kind="client")


def guesses_looked_at(service):
    return service.count("postern_client_auth_total", kind="api_client",
                         outcome="refused")


def flood(service):
    """Until every client id was tried."""
    start = failures(service)
    for _ in range(RUNS_MAX):
        done = int(failures(service) - start)
        if done >= CLIENT_IDS:
            return
        subprocess.run(
            ["wrk", "-t1", "-c4", f"-d{RUN_SECS}s", "-s",
             str(SOURCE / "flood.lua"), service.url, "--", str(done),
             str(SOURCES)],
            check=True, capture_output=True, timeout=60)
    raise AssertionError(f"only {failures(service) - start} guesses")


def call(service, source, client, secret, token):
    return service.post(INTROSPECT, client=None, auth=(client, secret),
                        data={"token": token},
                        headers={"X-Forwarded-For": source})


def median_secs(service, token, prefix):
    """Of a good client's calls, each from a source never seen before."""
    times = []
    for number in range(300):
        before = time.perf_counter()
        answer = call(service, f"{prefix}.{number // 250}.{number % 250 + 1}",
                      "inspector", SECRET, token)
        times.append(time.perf_counter() - before)
        assert answer.status_code == 200, answer.text
    return statistics.median(times)


class Bystanders(threading.Thread):
    """Who calls while the flood lasts: a good client from ever new sources,
    and a guesser who would like to be forgotten."""

    def __init__(self, service, token):
        super().__init__()
        self.service, self.token = service, token
        self.good, self.guesses = [], []
        self.over = threading.Event()
        self.secs = 0

    def run(self):
        start, number = time.monotonic(), 0
        while not self.over.wait(0.02):
            number += 1
            self.good.append(call(
                self.service, f"192.0.{number // 250}.{number % 250 + 1}",
                "inspector", SECRET, self.token).status_code)
            self.guesses.append(call(
                self.service, GUESSER, "inspector", "wrong",
                self.token).status_code)
        self.secs = time.monotonic() - start


@pytest.mark.skipif(shutil.which("wrk") is None,
                    reason="wrk is not installed: .ci/packages test")
def test_a_flood_of_guesses(service):
    token = grant(service)["access_token"]
    assert call(service, KNOWN, "inspector", SECRET, token).status_code == 200
    for _ in range(12):
        call(service, GUESSER, "inspector", "wrong", token)
    before_secs = median_secs(service, token, "198.18")
    before_kib = int(procfs.status(service.gateway.pid)["VmRSS"].split()[0])

    looked_at_before = guesses_looked_at(service)
    bystanders = Bystanders(service, token)
    bystanders.start()
    flood(service)
    bystanders.over.set()
    bystanders.join()

    assert set(bystanders.good) == {200}
    assert set(bystanders.guesses) == {401}
    # The guesser was never forgotten, which would have freed another five and
    # the short penalties after them: of its guesses only those were looked at
    # that climbed to the longest penalty, and one a longest penalty.
    looked_at = guesses_looked_at(service) - looked_at_before
    assert looked_at <= LADDER + bystanders.secs / PENALTY_MAX_SECS + 1
    assert len(bystanders.guesses) > 5 * looked_at
    # Who succeeded before the flood is remembered beyond it: a penalty of
    # others' guesses from the same source does not reach it.
    for _ in range(60):
        call(service, KNOWN, "inspector", "wrong", token)
    assert call(service, KNOWN, "inspector", SECRET, token).status_code == 200
    # Nobody else is slowed, and the tables are bounded.
    after_secs = median_secs(service, token, "198.19")
    assert after_secs < 2 * before_secs + 0.002, (before_secs, after_secs)
    after_kib = int(procfs.status(service.gateway.pid)["VmRSS"].split()[0])
    assert after_kib - before_kib < 64 * 1024, (before_kib, after_kib)
