"""An apply that is killed at any moment leaves the old realm or the new one,
never a mix, and its secrets work as that realm says."""

import random
import threading
import time

import pytest
import requests

from harness.configuration import apply, get, revision
from harness.service import Service, success, unique
from harness.standard import MIRROR, standard_realm

KILLS = 20
IDPS = 12  # so that an apply takes a while: each script is compiled


@pytest.fixture(scope="module")
def running_service():
    with Service(standard_realm(), in_store=True) as service:
        yield service


def files_of(generation):
    """A whole realm in which every document tells its generation."""
    realm = standard_realm("last")
    realm.properties({"id": "generation", "value": str(generation),
                      "sensitive": True})
    script = MIRROR + f"// generation {generation}\n"
    for number in range(IDPS):
        realm.idp(f"idp-{number}", script, name=f"generation {generation}")
    realm.idp("last", script)
    realm.client("marked", idps=["last"], name=f"generation {generation}",
                 default_scopes=["read"],
                 client_secret={"plain": secret_of(generation)})
    return {path: text for path, text in realm.files.items()}


def secret_of(generation):
    return f"secret-of-generation-{generation}"


def exported(service):
    answer = get(service, "/realm/export")
    assert answer.status_code == 200, answer.text
    return answer.content


def generation_is(service, generation):
    answer = service.complete("last", success(), client=None,
                              auth=("marked", secret_of(generation)))
    return answer.status_code == 200


def apply_and_kill(service, files, delay_secs):
    """The answer's status, or None where the gateway died first."""
    statuses = []

    def run():
        try:
            statuses.append(apply(service, files).status_code)
        except requests.RequestException:
            statuses.append(None)
    thread = threading.Thread(target=run)
    started = time.monotonic()
    thread.start()
    # The moment itself is what is random: there is nothing to wait for.
    thread.join(max(0.0, delay_secs - (time.monotonic() - started)))
    service.gateway.kill()
    thread.join()
    return statuses[0]


def test_killed_at_random_moments(service):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moments = random.Random(seed)
    files = files_of(0)
    started = time.monotonic()
    assert apply(service, files).status_code == 200
    takes_secs = time.monotonic() - started
    live, outcomes = 0, []
    for generation in range(1, KILLS + 1):
        old, old_revision = exported(service), revision(service)
        files = files_of(generation)
        wanted = apply(service, files, dry_run=True).json()["revision"]
        status = apply_and_kill(
            service, files, moments.uniform(0, 1.3 * takes_secs))
        service.restart(service.gateway)
        now = revision(service)
        assert now in (old_revision, wanted), (seed, generation)
        if now == old_revision:
            assert status is None, "what was answered is durable"
            assert exported(service) == old, (seed, generation)
        else:
            live = generation
            assert exported(service).count(
                f"generation {generation}".encode()) >= IDPS
        assert generation_is(service, live), (seed, generation, live)
        outcomes.append((now == wanted, status))
    print(outcomes)
    # Applied once more, by a gateway that nobody kills.
    final = unique("g")
    assert apply(service, files_of(final)).status_code == 200
    assert generation_is(service, final)
