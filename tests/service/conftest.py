"""Fixtures: one running service a file, or one a test that needs its own."""

import pytest

from harness.processes import BIN
from harness.service import Service
from harness.standard import standard_realm


def pytest_sessionstart(session):
    built = (BIN / "postern-gateway").exists()
    if not built and not session.config.option.collectonly:
        pytest.exit(f"{BIN}/postern-gateway is missing: build it first, "
                    "or use tests/run", 3)


@pytest.fixture(scope="module")
def realm():
    """The realm of this file's service; a file may define its own."""
    return standard_realm()


@pytest.fixture(scope="module")
def running_service(realm):
    with Service(realm) as service:
        yield service


@pytest.fixture
def service(running_service):
    """The file's service, seen to be unharmed after every test."""
    yield running_service
    running_service.assert_unharmed()


@pytest.fixture
def start():
    """Starts a service of the test's own: start(realm, gateway_flags=..)."""
    services = []

    def start_one(realm, **options):
        service = Service(realm, **options).__enter__()
        services.append(service)
        return service

    yield start_one
    problems = []
    for service in services:
        try:
            service.assert_unharmed()
        except AssertionError as harm:
            problems.append(str(harm))
            print(service.logs())
        problems += service.end()
    assert not problems, problems
