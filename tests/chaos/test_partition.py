"""Networks that part, are slow or lose packets, and hosts that stand still:
traffic moves over, and returns."""

import signal
import time

import pytest

from harness.wait import until
from load import Load
from test_engine_kills import pass_time

RATE = 100
CALM_SECS = 10
PARTED_SECS = 10

# Traffic has moved over; and beyond that time p99 is the calm one's, twice.
OVER_SECS = 3
P99_RATIO_MAX = 2.0
NOISE_SECS = 0.05  # a shared machine's, in either


def executions_by(service, name):
    return sum(entry.get("engine") == name and
               entry.get("event") == "execution ended"
               for entry in service.gateway.log_entries())


def works_again(service, name):
    """It is given executions, and they end there."""
    before = executions_by(service, name)
    until(lambda: executions_by(service, name) > before + 5,
          f"work for {name}", 15)


def test_partition(start, tally):
    service = start()
    host = service.engines["b"].host
    with Load(service.url, idp="orders", rate=RATE) as load:
        begin = time.monotonic()
        pass_time(CALM_SECS)
        parted = time.monotonic()
        host.cut()
        service.wait_engines(2, OVER_SECS)
        pass_time(max(0, parted + PARTED_SECS - time.monotonic()))
        host.heal()
        healed = time.monotonic()
        service.wait_engines(3)
        works_again(service, "b")
        returned = time.monotonic() - healed
        pass_time(CALM_SECS)
    calm = load.p99_secs(begin + 1, parted)
    beside = load.p99_secs(parted + OVER_SECS, healed)
    after = load.p99_secs(healed + OVER_SECS)
    failures = tally.row(
        "10 s of partition", load, service, service.registrations(),
        f"p99 calm {calm * 1000:.0f} ms, parted {beside * 1000:.0f}, healed "
        f"{after * 1000:.0f}; back after {returned:.1f} s")
    assert not failures, failures
    assert set(service.registrations().values()) == {1}
    assert beside <= P99_RATIO_MAX * calm + NOISE_SECS
    assert after <= P99_RATIO_MAX * calm + NOISE_SECS


@pytest.mark.parametrize("trouble", [
    {"delay_ms": 200}, {"loss": 0.05}, {"delay_ms": 100, "loss": 0.05}],
    ids=["delay", "loss", "both"])
def test_bad_networks(start, choice, tally, trouble):
    """Of one host or of all: nothing fails for it, nothing runs twice. The
    delay is each way's."""
    service = start()
    with Load(service.url, idp="orders", rate=20) as load:
        for host in choice.sample(list(service.hosts.values()), 1):
            host.slow(**trouble)
        load.flow(100, 30)
        for host in service.hosts.values():
            host.slow(**trouble)
        load.flow(100, 60)
    for host in service.hosts.values():
        host.heal()
    failures = tally.row(
        " ".join(f"{key} {value}" for key, value in trouble.items()), load,
        service, service.registrations(),
        f"p99 {load.p99_secs() * 1000:.0f} ms")
    assert not failures, failures
    assert set(service.registrations().values()) == {1}


def test_half_open_connections(start, choice, tally):
    """The host goes without a word and comes back as another process: what
    TCP still believes of the old one holds nothing up."""
    service = start()
    with Load(service.url, idp="orders", rate=RATE) as load:
        for name in choice.sample("abc", 2):
            engine = service.engines[name]
            engine.host.cut()
            engine.kill()
            service.wait_engines(2)
            engine.host.heal()
            engine.start()
            service.wait_engines(3)
            works_again(service, name)
    failures = tally.row("half-open connections", load, service,
                         service.registrations(),
                         f"p99 {load.p99_secs() * 1000:.0f} ms")
    assert not failures, failures
    assert set(service.registrations().values()) == {1}


def test_stopped_engines(start, choice, tally):
    """SIGSTOP, one after the other; each is let in again."""
    service = start()
    with Load(service.url, idp="orders", rate=RATE) as load:
        for name in choice.sample("abc", 3):
            engine = service.engines[name]
            engine.signal(signal.SIGSTOP)
            begin = time.monotonic()
            service.wait_engines(2, OVER_SECS)
            load.flow(100)
            out = time.monotonic() - begin
            engine.signal(signal.SIGCONT)
            service.wait_engines(3)
            works_again(service, name)
            assert out < OVER_SECS + 100 / RATE * 2
    failures = tally.row("SIGSTOP", load, service, service.registrations(),
                         f"p99 {load.p99_secs() * 1000:.0f} ms")
    assert not failures, failures
    assert set(service.registrations().values()) == {1}
