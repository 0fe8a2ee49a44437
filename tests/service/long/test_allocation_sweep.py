"""Every allocation in turn, from the first to the last that a request makes,
finds no memory: the request then succeeds, or fails with an error that says it
is ours; the process lives, and the next request is as ever. What is counted is
what the whole process allocates while the request runs, other threads too."""

import json
import signal

import pytest
import requests

from harness.faults import SHIM, Faults
from harness.oauth import grant, introspect, oauth_realm, refresh
from harness.processes import SANITIZED
from harness.service import CALL_SECS, Service, success
from harness.wait import until

pytestmark = pytest.mark.skipif(
    SANITIZED or not SHIM.exists(),
    reason="a sanitizer has the allocator, or the shim was not built")

RECOVERY_SECS = 20

# No flow makes more; a sweep that gets there found no end.
ALLOCATIONS_MAX = 3000


class Swept:
    """A service of which one process runs out of memory on order."""

    def __init__(self, name):
        self.service = Service(oauth_realm())
        self.process = getattr(self.service, name)
        self.faults = Faults(self.process)

    def __enter__(self):
        self.service.__enter__()
        self.calm()
        self.faults.begin()
        return self

    def __exit__(self, *failure):
        self.faults.relent()
        self.service.__exit__(*failure)

    def calm(self):
        """Until an ordinary request is served again."""
        def is_served():
            try:
                return self.service.complete(
                    "mirror", success(), timeout=5).status_code == 200
            except requests.RequestException:
                return False
        until(is_served, "recovery", RECOVERY_SECS)

    def without(self, number, act):
        """act() without the number-th allocation; its result, and whether
        there was such an allocation. None: the connection was closed."""
        self.calm()
        prepared = act.prepare(self.service)
        self.faults.fail_allocation(number)
        try:
            result = act(self.service, prepared)
        except requests.ConnectionError:
            result = None
        seen = self.faults.relent()
        assert self.process.is_running(), (
            f"allocation {number}:\n" + self.process.log_text()[-2000:])
        return result, seen >= number


class Act:
    def __init__(self, name, call, prepare=lambda service: None):
        self.name = name
        self.call = call
        self.prepare = prepare

    def __call__(self, service, prepared):
        return self.call(service, prepared)


def tokens(service):
    return grant(service)


ACTS = [
    Act("init", lambda s, _: s.init("two")),
    Act("complete", lambda s, _: s.complete(
        "mirror", success(), members={"scope": ["openid"]})),
    Act("two-step", lambda s, transaction: s.complete(
        "two", success(), transaction=transaction),
        lambda s: s.transaction()),
    Act("cache", lambda s, _: s.complete(
        "cache", [["store", "k", "v", 30], ["fetch", "k"]])),
    Act("introspect", lambda s, t: introspect(s, t["access_token"]), tokens),
    Act("refresh", lambda s, t: refresh(s, t["refresh_token"]), tokens),
]


def is_right(act, answer):
    """Done, or refused as ours; never a client's fault, never half of it."""
    if answer is None or answer.status_code in (500, 503):
        return True
    if answer.status_code != 200:
        return False
    if act.name == "introspect":
        return answer.json()["active"] is True
    if act.name == "refresh":
        return {"access_token", "refresh_token"} <= set(answer.json())
    if act.name == "cache":
        return json.loads(answer.json()["data"]) == [None, "v"]
    return answer.json()["status"] == 2000


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
@pytest.mark.parametrize("name", ["gateway", "engine"])
def test_every_allocation_of_a_request(name, act):
    with Swept(name) as swept:
        succeeded = 0
        for number in range(1, ALLOCATIONS_MAX):
            answer, was_there = swept.without(number, act)
            assert is_right(act, answer), (number, answer.status_code,
                                           answer.text)
            succeeded += answer is not None and answer.status_code == 200
            if not was_there:
                break
        else:
            pytest.fail("no end of allocations")
        assert succeeded > 0


# A reload makes tens of thousands; primes, so that two runs of a loop in it are
# not hit at the same place.
RELOAD_STEP = 487


def test_allocations_of_a_reload():
    """The realm is loaded or refused; refused, the old one serves."""
    with Swept("gateway") as swept:
        service = swept.service

        def reload(_, before):
            service.gateway.signal(signal.SIGHUP)
            until(lambda: judged(service) > before, "the realm to be judged",
                  CALL_SECS)

        act = Act("reload", reload, judged)
        number, was_there = 1, True
        while was_there:
            _, was_there = swept.without(number, act)
            number += RELOAD_STEP
        assert service.count("postern_realm_loads_total",
                             outcome="loaded") > 1


def judged(service):
    return service.count("postern_realm_loads_total")
