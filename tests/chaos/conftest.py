"""Fixtures of the chaos suite. POSTERN_CHAOS_SEED repeats a run's choices."""

import os
import random
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "service")]

# pylint: disable=wrong-import-position
import ground  # noqa: E402
from chaos_service import chaos_realm, ChaosService  # noqa: E402
from harness.links import Pki  # noqa: E402
from tally import Tally  # noqa: E402

SEED = int(os.environ.get("POSTERN_CHAOS_SEED") or
           random.SystemRandom().randrange(1 << 32))
TALLY = Tally(SEED)
REFUSAL = ground.refusal()


def pytest_sessionstart(session):
    if REFUSAL is None and not session.config.option.collectonly:
        ground.leave_the_machine()


def pytest_collection_modifyitems(items):
    if REFUSAL is not None:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=REFUSAL))


def pytest_terminal_summary(terminalreporter):
    if TALLY.rows:
        terminalreporter.write_line(TALLY.text())
    table = os.environ.get("POSTERN_CHAOS_TABLE")
    if table:
        Path(table).write_text(TALLY.text() + "\n")


@pytest.fixture
def tally():
    return TALLY


@pytest.fixture
def choice(request):
    """Random choices of this test's own, whatever ran before."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="session")
def hosts():
    with ground.Ground(4, SEED) as made:
        yield made.hosts


@pytest.fixture(scope="session")
def pki():
    made = Pki()
    for name in ("a", "b", "c", "d"):
        made.engine(name)
    yield made
    made.remove()


@pytest.fixture
def start(pki, hosts):
    """start(gateway_flags=[..], engines=("a", ..)): one engine a host."""
    services = []

    def start_one(realm=None, **options):
        service = ChaosService(realm or chaos_realm(), pki, hosts, **options)
        services.append(service.__enter__())
        return service

    yield start_one
    problems = []
    for service in services:
        problems += service.end()
    for host in hosts:
        host.heal()
    assert not problems, problems
