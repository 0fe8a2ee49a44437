"""The admin listener: liveness, readiness, counters."""

import re

import pytest
import requests

from harness.service import success
from harness.wait import until


def get(service, path, **options):
    return requests.get(service.admin_url + path, timeout=20, **options)


def test_live_and_ready(service):
    assert get(service, "/health/live").status_code == 200
    answer = get(service, "/health/ready")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    answer.json()


def test_not_ready_without_an_engine(start, realm):
    service = start(realm)
    service.engine.kill()
    until(lambda: get(service, "/health/ready").status_code == 503,
          "not ready")
    assert get(service, "/health/live").status_code == 200
    service.restart(service.engine)


def test_metrics_are_prometheus_text(service):
    service.complete("mirror", success())
    answer = get(service, "/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(
        "text/plain; version=0.0.4")
    line = re.compile(
        r"^(# (HELP|TYPE) postern_\w+ .+|postern_\w+(\{.*\})? "
        r"([0-9.e+-]+|\+Inf|NaN))$")
    for text in answer.text.splitlines():
        assert line.match(text), text


@pytest.mark.parametrize("name", [
    "postern_http_requests_total", "postern_registrations_total",
    "postern_executions_total", "postern_engines", "postern_tickets",
    "postern_tokens_issued_total", "postern_store_commits_total",
    "postern_client_auth_total", "postern_realm_loads_total"])
def test_what_a_request_counts(service, name):
    service.complete("mirror", success())
    assert service.count(name) >= 1


def test_tickets_are_free_slots(service):
    until(lambda: service.count("postern_tickets") == 4, "four free slots")
    assert service.count("postern_engines") == 1
    assert service.count("postern_jobs_running") == 0


def test_the_public_listener_has_none_of_it(service):
    for path in ("/metrics", "/health/live", "/health/ready"):
        answer = requests.get(service.url + path, timeout=20)
        assert answer.status_code == 404


def test_the_admin_listener_has_nothing_else(service):
    assert get(service, "/").status_code == 404
    assert get(service, "/oauth/v1/keys").status_code == 404
    answer = requests.post(service.admin_url + "/metrics", timeout=20)
    assert answer.status_code == 405


def test_a_foreign_host_header_is_refused(service):
    """Against a browser's page that points a name of its own here."""
    answer = get(service, "/metrics", headers={"Host": "evil.example"})
    assert answer.status_code in (400, 403, 421)
