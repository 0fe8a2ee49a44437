"""The shipped HAProxy configuration before a gateway, and the gateway alone:
what two parsers could read differently is refused by both. Slow clients are in
long/test_edge_slow.py."""

import re
import ssl

import pytest
import requests

from harness import raw_http
from harness.edge import Edge
from harness.realm import SECRET
from harness.service import Service
from test_guard import BODY, SMUGGLING, answers_in, request

# HAProxy reads these in the one way there is for it and writes them anew, so
# the gateway sees a plain request: nothing is left that could be read twice.
WRITTEN_ANEW = {"length twice", "length list", "folded line", "bare LF",
                "one bare LF", "two spaces"}

# The forms that must never get through as they are.
NAMED = {
    "both lengths": request("Transfer-Encoding: chunked"),
    "two lengths": request("Content-Length: 0"),
    "no digits": request("Content-Length: 1x", length=False),
    "65 headers": request(*(f"X-{n}: 1" for n in range(60))),
    "absolute form": request(start="POST http://x/oauth/custom-registration/"
                                   "mirror/complete HTTP/1.1"),
    "HTTP/0.9": b"GET /oauth/v1/keys\r\n\r\n",
}


@pytest.fixture(scope="module")
def running_service(realm):
    with Service(realm, gateway_flags=["--trusted-proxy=127.0.0.1"]) as service:
        yield service


@pytest.fixture(scope="module")
def edge(running_service):
    with Edge(running_service.port) as running:
        yield running


def assert_refused(service, before, answer):
    assert answer.status is None or 400 <= answer.status < 600, answer.raw
    assert answers_in(answer.raw) <= 1
    assert service.executions() == before


@pytest.mark.parametrize("sent", NAMED.values(), ids=NAMED.keys())
def test_refused_by_the_gateway_alone(service, sent):
    before = service.executions()
    assert_refused(service, before, raw_http.exchange(service.port, sent))


@pytest.mark.parametrize("sent", NAMED.values(), ids=NAMED.keys())
def test_refused_behind_the_edge(service, edge, sent):
    before = service.executions()
    assert_refused(service, before, edge.exchange(sent))


@pytest.mark.parametrize("name", SMUGGLING)
def test_nothing_is_smuggled_through_the_edge(service, edge, name):
    before = service.executions()
    answer = edge.exchange(SMUGGLING[name])
    if name not in WRITTEN_ANEW:
        assert_refused(service, before, answer)
        return
    assert answer.status == 200, answer.raw
    assert answers_in(answer.raw) == 1
    assert service.executions() == before + 1


@pytest.mark.parametrize("sent", [
    request("Transfer-Encoding: chunked", body=b"0\r\n\r\n" + request()),
    request("Content-Length: 5", body=BODY + request()),
    request("X: 1\nContent-Length: 0", body=BODY + request()),
], ids=["chunked end", "second length", "bare LF before a length"])
def test_a_hidden_request_is_not_run(service, edge, sent):
    """Behind a body whose length is in doubt: at most the outer one runs."""
    before = service.executions()
    answer = edge.exchange(sent)
    assert answers_in(answer.raw) <= 1
    assert service.executions() <= before + 1


def call(edge, headers=None, **options):
    return requests.post(
        f"https://localhost:{edge.port}/oauth/custom-registration/mirror/"
        "complete", data=BODY, headers={
            "Content-Type": "application/json", **(headers or {})},
        auth=("app", SECRET), verify=str(edge.directory / "ca.pem"),
        timeout=30, **options)


def test_addresses_are_the_edges_word(service, edge):
    answer = call(edge, {"X-Forwarded-For": "198.51.100.7",
                         "Forwarded": "for=198.51.100.7",
                         "X-Forwarded-Proto": "http"})
    assert answer.status_code == 200
    entries = service.log_of(answer.headers["X-Correlation-Id"])
    sources = {entry["source"] for entry in entries if "source" in entry}
    assert sources == {"127.0.0.1"}


def test_correlation_ids(service, edge):
    mine = call(edge, {"X-Correlation-Id": "order-4711.a"})
    assert mine.headers["X-Correlation-Id"] == "order-4711.a"
    made = call(edge)
    assert re.fullmatch("[0-9a-f-]{36}", made.headers["X-Correlation-Id"])
    replaced = call(edge, {"X-Correlation-Id": "a b;c"})
    assert re.fullmatch("[0-9a-f-]{36}", replaced.headers["X-Correlation-Id"])
    assert "max-age" in made.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1,
                                     ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(edge, version):
    context = ssl.create_default_context(cafile=edge.directory / "ca.pem")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with raw_http.connect(edge.port) as plain:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname="localhost")


def test_a_large_body_is_refused(edge):
    answer = call(edge)
    assert answer.status_code == 200
    answer = edge.exchange(request(body=b'{"data": "' + b"x" * 131072 + b'"}'))
    assert answer.status == 413


def test_a_request_waits_for_a_gateway_that_restarts(start, realm):
    service = start(realm, gateway_flags=["--trusted-proxy=127.0.0.1"])
    with Edge(service.port) as edge:
        service.expected_ends.add(service.gateway)
        service.gateway.kill()
        with edge.connect() as connection:
            connection.sendall(request())
            service.restart(service.gateway)
            answer = raw_http.Answer(raw_http.read_all(connection))
    assert answer.status == 200
