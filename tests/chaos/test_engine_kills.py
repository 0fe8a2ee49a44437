"""Engines that die, are replaced and move, under load: no request notices."""

import time

from effect_counter import EffectCounter
from harness.wait import until
from load import HUNG, Load

KILL_SECS = 60
KILL_EVERY_SECS = 2
MOVES = 6
EFFECT_RATE = 80
EFFECT_SLOTS = 16

# No capacity beyond this is asked for: the test's own client has a limit.
RATE_MAX = 300


def half_capacity(service):
    """Half of what it serves when more is asked of it."""
    with Load(service.url, idp="warm_up", rate=0, connections=16) as load:
        load.flow(300, 30)
    return min(RATE_MAX, load.goodput() / 2)


def pass_time(secs):
    """A moment of the load's, in which nothing else happens."""
    end = time.monotonic() + secs
    until(lambda: time.monotonic() > end, "the time", secs + 10)


def kills(service, choice, secs):
    begin, count = time.monotonic(), 0
    while time.monotonic() - begin < secs:
        service.replace(choice.choice("abc"))
        count += 1
        pass_time(max(0, begin + count * KILL_EVERY_SECS - time.monotonic()))
    return count


def assert_nothing_failed(service, load, tally, scenario, remarks):
    failures = tally.row(scenario, load, service, service.registrations(),
                         remarks)
    assert not failures, failures
    effects = service.registrations()
    assert set(effects.values()) == {1}


def test_killed_every_two_seconds(start, choice, tally):
    service = start()
    rate = half_capacity(service)
    with Load(service.url, idp="orders", rate=rate) as load:
        count = kills(service, choice, KILL_SECS)
    assert_nothing_failed(
        service, load, tally, "kill -9 every 2 s",
        f"{count} kills, {rate:.0f}/s, p99 {load.p99_secs() * 1000:.0f} ms")


def test_rolling_drain(start, choice, tally):
    service = start()
    rate = half_capacity(service)
    with Load(service.url, idp="orders", rate=rate) as load:
        for _ in range(MOVES // 3):
            for name in choice.sample("abc", 3):
                service.move(name)
                service.wait_engines(3)
                load.flow(20)
    assert_nothing_failed(
        service, load, tally, "rolling drain",
        f"{MOVES} drains, {rate:.0f}/s, "
        f"p99 {load.p99_secs() * 1000:.0f} ms")


def test_engines_move_between_hosts(start, choice, tally, hosts):
    """A free host takes an engine, whose old host is the free one then."""
    service = start()
    rate = half_capacity(service)
    free = hosts[3]
    with Load(service.url, idp="orders", rate=rate) as load:
        for _ in range(MOVES):
            name = choice.choice("abc")
            left = service.engines[name].host
            service.move(name, free)
            free = left
            service.wait_engines(3)
            load.flow(20)
    assert_nothing_failed(
        service, load, tally, "engines change hosts",
        f"{MOVES} moves, {rate:.0f}/s, p99 {load.p99_secs() * 1000:.0f} ms")


def test_effects_under_kills(start, choice, tally):
    """At most one call of the outside a request; a failure is 3015."""
    # One host gets three quarters of an engine's slots: as many as there are
    # callers, so that none is refused for that.
    service = start(slots=EFFECT_SLOTS)
    with EffectCounter(0.02) as counter:
        order = {"idp": "effects", "data": {"url": counter.url}}
        with Load(service.url, rate=EFFECT_RATE,
                  connections=EFFECT_SLOTS * 3 // 4, **order) as load:
            count = kills(service, choice, KILL_SECS)
    failures = tally.row("the same, with an HTTP effect", load, service,
                         counter.counts, f"{count} kills, {EFFECT_RATE}/s")
    assert max(counter.counts.values()) == 1
    assert set(failures) <= {"3015"}, failures
    assert not [a for a in load.answers if a.outcome == HUNG]
    assert len(counter.counts) >= len(load.successes())
