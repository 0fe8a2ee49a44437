"""More work than engines can do: they do as much as ever, and whoever is
refused is told at once; who floods harms himself."""

import signal
import threading
from statistics import median

from harness.service import CALL_SECS
from load import Load
from test_engine_kills import pass_time

SECS = 8
OVERLOAD = 2
GOODPUT_MIN = 0.9
REFUSED_SECS = 0.05

# One engine with one slot and scripts that fill it: the processors have room
# for the gateway and the test, and the engine is what is scarce.
ENGINES = {"engines": ("a",), "slots": 1}
ORDER = {"idp": "orders", "data": {"ms": 10}}
PEAK_CALLERS = 6

# Connections of an open load: as many as the gateway has threads for, so that
# what is measured is its own queue and not the system's.
CONNECTIONS = 60


def peak_of(service):
    with Load(service.url, rate=0, connections=PEAK_CALLERS, prefix="p",
              **ORDER) as load:
        pass_time(SECS / 2)
    return load.goodput()


def refused(load):
    return [a for a in load.answers if a.outcome == 503]


def test_overload(start, tally):
    service = start(**ENGINES)
    peak = peak_of(service)
    with Load(service.url, rate=OVERLOAD * peak, connections=CONNECTIONS,
              **ORDER) as load:
        pass_time(SECS)
    goodput = load.goodput()
    took = median(a.secs for a in refused(load))
    failures = tally.row(
        f"{OVERLOAD}x overload", load, service, service.registrations(),
        f"goodput {goodput:.0f}/s of {peak:.0f}/s; refused after "
        f"{took * 1000:.0f} ms (median)")
    assert set(failures) == {"503"}, failures
    assert goodput >= GOODPUT_MIN * peak
    assert took <= REFUSED_SECS
    answer = refusal_of(service)
    assert int(answer.headers["Retry-After"]) >= 1


def refusal_of(service):
    """One answer of a service that is full."""
    found = []
    ended = threading.Event()

    def call():
        while not ended.is_set():
            answer = service.complete("orders", {"id": "x", "ms": 50})
            if answer.status_code == 503:
                found.append(answer)
                ended.set()
    threads = [threading.Thread(target=call) for _ in range(48)]
    for thread in threads:
        thread.start()
    ended.wait(CALL_SECS)
    ended.set()
    for thread in threads:
        thread.join()
    return found[0]


def test_one_source_floods(start, tally):
    """Another user of the same client at the same provider still gets in."""
    service = start(gateway_flags=["--trusted-proxy=127.0.0.1"], **ENGINES)
    peak = peak_of(service)
    with Load(service.url, rate=3 * peak, connections=CONNECTIONS - 10,
              source="203.0.113.1", prefix="f", **ORDER) as flood, \
            Load(service.url, rate=peak / 10, connections=10,
                 source="203.0.113.2", prefix="g", **ORDER) as good:
        pass_time(SECS)
    tally.row("one source floods: the flood", flood, service,
              remarks=f"{len(refused(flood))} refused")
    failures = tally.row(
        "one source floods: another", good, service,
        remarks=f"p99 {good.p99_secs() * 1000:.0f} ms")
    assert refused(flood)
    assert not failures, failures


def test_slow_engine(start, choice, tally):
    """One of three is starved: it has the processor for a fifth of the
    time. Nothing fails for it, and the others go on."""
    service = start()
    engine = service.engines[choice.choice("abc")]
    ended = threading.Event()

    def starve():
        while not ended.wait(0.05):
            engine.signal(signal.SIGSTOP)
            ended.wait(0.2)
            engine.signal(signal.SIGCONT)
    thread = threading.Thread(target=starve)
    with Load(service.url, idp="orders", rate=100) as load:
        thread.start()
        pass_time(SECS)
        ended.set()
        thread.join()
    failures = tally.row("slow engine", load, service,
                         service.registrations(),
                         f"p99 {load.p99_secs() * 1000:.0f} ms")
    assert not failures, failures
    assert set(service.registrations().values()) == {1}


def test_deadline_is_known_before(start, tally):
    """Executions of a second: who would wait in vain is told at once."""
    service = start(engines=("a",), slots=2)
    with Load(service.url, rate=10, connections=CONNECTIONS, idp="slow",
              data={"ms": 900}) as load:
        pass_time(SECS)
    took = median(a.secs for a in refused(load))
    failures = tally.row("deadline known before", load, service,
                         service.registrations("slow"),
                         f"refused after {took * 1000:.0f} ms (median)")
    assert set(failures) == {"503"}, failures
    assert took <= REFUSED_SECS
