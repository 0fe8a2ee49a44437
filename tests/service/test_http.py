"""HTTP of scripts against a back-end that behaves, and one that does not."""

import json
import tempfile
import threading
import time
from pathlib import Path

import pytest

from harness.partner import (Partner, closed_port, make_certificates,
                             tls_context)
from harness.processes import SLOWNESS
from harness.service import Service
from harness.standard import standard_realm
from harness.wait import until

# Does what data says; an error comes back as its name, code and message.
CALLS = """
function execute(requestPayload) {
  var results = JSON.parse(requestPayload).map(function (order) {
    try {
      var answer = HTTP[order[0]].apply(HTTP, order.slice(1));
      return {status: answer.status, headers: answer.headers,
              length: answer.body.length, body: answer.body.slice(0, 2000)};
    } catch (e) {
      return {name: e.name, code: e.code, message: e.message,
              isError: e instanceof Error};
    }
  });
  return {status: 2000, user: {id: "http"}, responsePayload: results};
}
"""
COLD = """
var answer = HTTP.get(PROPERTIES.url);
function execute() {
  return {status: 2000, user: {id: "x"}, responsePayload: answer.json()};
}
"""


@pytest.fixture(scope="module")
def certificates():
    with tempfile.TemporaryDirectory(prefix="postern-ca-") as name:
        make_certificates(Path(name))
        yield Path(name)


@pytest.fixture(scope="module")
def partners(certificates):
    servers = {
        "plain": Partner(),
        "tls": Partner(context=tls_context(certificates, "good", True)),
        "wrong": Partner(context=tls_context(certificates, "wrong")),
        "other": Partner(context=tls_context(certificates, "good", True)),
        "closed": closed_port(),
    }
    yield servers
    for server in servers.values():
        if isinstance(server, Partner):
            server.close()


@pytest.fixture(scope="module")
def realm(partners, certificates):
    realm = standard_realm("http", "second", "cold", "small")
    ports = [p.port if isinstance(p, Partner) else p
             for p in partners.values()]
    allow = [f"{host}:{port}" for port in ports
             for host in ("localhost", "127.0.0.1", "partner.test",
                          "nowhere.invalid")]
    http = {"allow": allow + ["[::1]:%d" % ports[0]]}
    realm.properties(
        {"id": "url", "value": f"http://localhost:{partners['plain'].port}"
                               "/echo"},
        {"id": "client", "kind": "key",
         "value": (certificates / "client.pem").read_text()},
        {"id": "no-certificate", "kind": "key", "value": "nothing"})
    realm.idp("http", CALLS, http=http)
    realm.idp("second", CALLS, http=http)
    realm.idp("cold", COLD, http=http)
    realm.idp("small", CALLS, http=http, script={"http_body_kib": 1})
    return realm


@pytest.fixture(scope="module")
def running_service(realm, certificates, partners):
    with Service(realm, engine_flags=[
            f"--http-ca={certificates}/ca.pem", "--http-per-host=2",
            "--http-connect-ms=800", "--http-total-ms=1500", "--slots=8",
            "--log-level=debug", "--http-resolve=partner.test:"
            f"{partners['tls'].port}:127.0.0.1"]) as service:
        yield service


@pytest.fixture
def call(service):
    def call(*orders, idp="http"):
        answer = service.complete(idp, list(orders))
        assert answer.status_code == 200, (answer.text, service.logs())
        return json.loads(answer.json()["data"])
    return call


@pytest.fixture
def url(partners):
    def url(which, path, host="localhost"):
        partner = partners[which]
        port = partner.port if isinstance(partner, Partner) else partner
        scheme = "http" if which == "plain" else "https"
        return f"{scheme}://{host}:{port}{path}"
    return url


def assert_error(result, code):
    assert result.get("code") == code, result
    assert result["name"] == "HttpError" and result["isError"]
    assert result["message"]


# -- what works ---------------------------------------------------------------

@pytest.mark.parametrize("which", ["plain", "tls"])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_methods(call, url, which, method):
    body = ["sent"] if method in ("post", "put", "patch") else []
    [result] = call([method, url(which, "/echo"), *body])
    assert result["status"] == 200
    seen = json.loads(result["body"])
    assert seen["method"] == method.upper()
    assert seen["body"] == "".join(body)
    assert result["headers"]["content-type"] == "application/json"
    assert "content-type" not in seen["headers"]


def test_request_with_everything(call, url):
    [head, echo] = call(
        ["request", {"method": "HEAD", "url": url("tls", "/echo")}],
        ["request", {"method": "POST", "url": url("tls", "/echo"),
                     "headers": {"X-One": "1", "x-empty": "",
                                 "X-Two": ["a", "b"], "X-Uml": "ü€"},
                     "body": {"a": [1, "ü"]}, "timeoutMs": 1000}])
    assert head["status"] == 200 and head["length"] == 0
    seen = json.loads(echo["body"])
    assert json.loads(seen["body"].encode("latin-1")) == {"a": [1, "ü"]}
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["headers"]["x-one"] == "1"
    assert seen["headers"]["x-empty"] == ""
    assert seen["headers"]["user-agent"].startswith("postern/")


def test_trace_context_and_correlation_id(service, partners, url):
    partners["plain"].requests.clear()
    answer = service.complete("http", [["get", url("plain", "/echo")]] * 2)
    first, second = [r["headers"] for r in partners["plain"].requests]
    version, trace, span, flags = first["traceparent"].split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert second["traceparent"].split("-")[1] == trace
    assert second["traceparent"].split("-")[2] != span
    assert first["X-Correlation-Id"] == answer.headers["X-Correlation-Id"]
    service.complete("http", [["get", url("plain", "/echo")]])
    third = partners["plain"].requests[-1]["headers"]
    assert third["traceparent"].split("-")[1] != trace


def test_status_is_no_error(call, url):
    results = call(*[["get", url("plain", f"/status/{status}")]
                     for status in (204, 304, 404, 500, 599)])
    assert [r["status"] for r in results] == [204, 304, 404, 500, 599]


def test_gzip_and_repeated_headers(call, url):
    [packed, cookies] = call(["get", url("tls", "/gzip")],
                             ["get", url("tls", "/cookies")])
    assert packed["body"] == "unpacked"
    assert cookies["headers"]["set-cookie"] == ["a=1", "b=2"]
    assert cookies["headers"]["x-twice"] == "1, 2"


def test_large_bodies_come_whole(call, url):
    results = call(*[["get", url("plain", f"/large/{size}")]
                     for size in (524287, 524288, 524289, 1048576)])
    assert [r["length"] for r in results] == [524287, 524288, 524289, 1048576]


def test_connections_are_reused_but_not_between_idps(call, url):
    def port(idp):
        [result] = call(["get", url("tls", "/echo")], idp=idp)
        return json.loads(result["body"])["port"]
    first = port("http")
    assert port("http") == first
    other = port("second")
    assert other != first
    assert port("second") == other and port("http") == first


def test_client_certificate(call, url):
    without, with_it, broken, missing = call(
        ["get", url("tls", "/echo")],
        ["get", url("tls", "/echo"), {"clientCert": "client"}],
        ["get", url("tls", "/echo"), {"clientCert": "no-certificate"}],
        ["get", url("tls", "/echo"), {"clientCert": "absent"}])
    assert json.loads(without["body"])["client"] is None
    assert json.loads(with_it["body"])["client"] == "client"
    assert_error(broken, "invalid")
    assert_error(missing, "invalid")


def test_a_top_level_with_http_is_cold(service):
    answer = service.complete("cold")
    assert answer.status_code == 200, (answer.text, service.logs())
    assert json.loads(answer.json()["data"])["method"] == "GET"


# -- what does not ------------------------------------------------------------

CASES = [
    ("wrong", "/echo", "tls"), ("closed", "/echo", "connect"),
    ("tls", "/slowhead", "timeout"), ("tls", "/slowbody", "timeout"),
    ("tls", "/endless", "too_large"), ("tls", "/bomb", "too_large"),
    ("plain", "/heads", "too_large"), ("plain", "/interim", "too_large"),
    ("tls", "/hops/10", "redirect"), ("plain", "/cut", "response"),
    ("plain", "/nonsense", "response"), ("plain", "/large/1048577",
                                         "too_large"),
]


@pytest.mark.parametrize("which, path, code", CASES,
                         ids=[f"{w}{p.replace('/', '-')}" for w, p, _ in CASES])
def test_failures_are_typed_and_in_time(call, url, which, path, code):
    begin = time.monotonic()
    [result] = call(["get", url(which, path)])
    assert time.monotonic() - begin < 1.5 * 2 * SLOWNESS
    assert_error(result, code)


def test_name_not_in_the_certificate(call, url):
    [result] = call(["get", url("tls", "/echo", host="127.0.0.1")])
    assert_error(result, "tls")


def test_name_that_does_not_resolve(call, url):
    begin = time.monotonic()
    [result] = call(["get", url("plain", "/echo", host="nowhere.invalid")])
    assert time.monotonic() - begin < 3 * SLOWNESS
    assert result["code"] in ("connect", "timeout"), result


def test_timeout_of_the_call(call, url):
    begin = time.monotonic()
    [result] = call(["get", url("plain", "/slowhead"), {"timeoutMs": 200}])
    assert_error(result, "timeout")
    assert time.monotonic() - begin < 1.4 * SLOWNESS


def test_body_limit_of_the_idp(call, url):
    fits, over = call(["get", url("plain", "/large/1024")],
                      ["get", url("plain", "/large/1025")], idp="small")
    assert fits["length"] == 1024
    assert_error(over, "too_large")


def test_redirects(call, url, partners):
    assert call(["get", url("tls", "/hops/5")])[0]["body"] == "arrived"
    [kept] = call(["get", url("tls", "/hops/1"), {"followRedirects": False}])
    assert kept["status"] == 302 and kept["headers"]["location"] == "/hops/0"


@pytest.mark.parametrize("status, method, becomes, body", [
    (301, "POST", "GET", ""), (302, "POST", "GET", ""),
    (303, "PUT", "GET", ""), (302, "PUT", "PUT", "b"),
    (307, "POST", "POST", "b"), (308, "PUT", "PUT", "b")])
def test_redirect_methods(call, url, status, method, becomes, body):
    [result] = call(["request", {
        "method": method, "url": url("plain", f"/to/{status}//echo"),
        "body": "b", "headers": {"Content-Type": "text/x"}}])
    seen = json.loads(result["body"])
    assert (seen["method"], seen["body"]) == (becomes, body)
    assert ("content-type" in seen["headers"]) == (body != "")


def test_credentials_do_not_follow_to_another_origin(call, url, partners):
    options = {"headers": {"Authorization": "Bearer s", "Cookie": "c=1",
                           "X-Kept": "k"}, "clientCert": "client"}
    away = url("other", "/echo")
    same, other = call(["get", url("tls", "/to/302//echo"), options],
                       ["get", url("tls", f"/to/302/{away}"), options])
    headers = json.loads(same["body"])["headers"]
    assert headers["authorization"] == "Bearer s" and headers["cookie"]
    assert json.loads(same["body"])["client"] == "client"
    headers = json.loads(other["body"])["headers"]
    assert "authorization" not in headers and "cookie" not in headers
    assert headers["x-kept"] == "k"
    assert json.loads(other["body"])["client"] is None


def test_no_redirect_from_https_to_http(call, url):
    [result] = call(["get", url("tls", "/to/302/" + url("plain", "/echo"))])
    assert_error(result, "refused")


@pytest.mark.parametrize("order", [
    ["get", "ftp://localhost/"], ["get", "file:///etc/passwd"],
    ["get", "not a url"], ["get", "http://u:p@localhost/"],
    ["get", "http://localhost\r\nX: y/"], ["request", {
        "url": "http://localhost/", "method": "CONNECT"}],
    ["get", "http://localhost/", {"headers": {"Host": "x"}}],
    ["get", "http://localhost/", {"headers": {"Transfer-Encoding": "x"}}],
    ["get", "http://localhost/", {"headers": {"a b": "x"}}]])
def test_misuse(call, order):
    assert_error(call(order)[0], "invalid")


@pytest.mark.parametrize("order", [
    ["get", 7], ["get"], ["request", "http://x/"], ["get", "http://x/", 5],
    ["get", "http://x/", {"headers": {"A": "1\r\nB: 2"}}],
    ["get", "http://x/", {"timeoutMs": -1}]])
def test_wrong_arguments(call, order):
    [result] = call(order)
    assert result["name"] in ("TypeError", "RangeError"), result


def test_bulkhead(service, partners, url):
    """Two at a time to one host, two wait, the fifth is told so at once, and
    another host is not concerned."""
    partner = partners["plain"]
    partner.requests.clear()
    results = []

    def one():
        answer = service.complete("http", [["get", url("plain", "/held")]])
        results.append(json.loads(answer.json()["data"])[0])

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: results, "the fifth to be refused", 5 * SLOWNESS)
    assert [r.get("code") for r in results] == ["limit"]
    until(lambda: len(partner.requests) == 2, "the two to arrive",
          5 * SLOWNESS)
    answer = service.complete("http", [["get", url("tls", "/echo")]])
    assert json.loads(answer.json()["data"])[0]["status"] == 200
    answer = service.complete("second", [["get", url("plain", "/echo")]])
    assert json.loads(answer.json()["data"])[0]["status"] == 200
    partner.release.set()
    for thread in threads:
        thread.join()
    assert sorted(r.get("status", 0) for r in results) == [
        0, 200, 200, 200, 200]


def test_a_slow_host_leaves_slots_to_others(start):
    """Three quarters of eight slots, whatever http_per_host says and whichever
    identity providers ask."""
    slow, quick = Partner(), Partner()
    idps = ("a", "b", "c", "d")
    realm = standard_realm(*idps)
    http = {"allow": [f"127.0.0.1:{p.port}" for p in (slow, quick)]}
    for idp in idps:
        realm.idp(idp, CALLS, http=http)
    service = start(realm, engine_flags=["--slots=8", "--http-per-host=7"])
    held = []

    def ask(idp, partner, path):
        answer = service.complete(
            idp, [["get", f"http://127.0.0.1:{partner.port}{path}"]])
        assert answer.status_code == 200, answer.text
        return json.loads(answer.json()["data"])[0]

    threads = [threading.Thread(
        target=lambda idp=idp: held.append(ask(idp, slow, "/held")))
        for idp in idps[:3] * 2]
    for thread in threads:
        thread.start()
    until(lambda: len(slow.requests) == 6, "the six to arrive", 5 * SLOWNESS)
    assert_error(ask("d", slow, "/echo"), "limit")
    assert ask("d", quick, "/echo")["status"] == 200
    slow.release.set()
    for thread in threads:
        thread.join()
    assert [r["status"] for r in held] == [200] * 6
    assert ask("d", slow, "/echo")["status"] == 200
    [line] = [text for text in service.logs().splitlines()
              if "bounds of HTTP" in text]
    assert '"running":6,"running_and_waiting":6' in line
    slow.close()
    quick.close()


def test_certificate_authorities_of_the_realm(start, certificates, partners):
    """The realm's or the identity provider's own in place of the engine's;
    connections opened under one serve nobody else."""
    port = partners["tls"].port
    allow = [f"localhost:{port}", f"127.0.0.1:{port}"]
    with tempfile.TemporaryDirectory(prefix="postern-ca-") as name:
        make_certificates(Path(name))
        stranger = (Path(name) / "ca.pem").read_text()
    realm = standard_realm("of-engine", "right", "wrong")
    realm.text("ca/right.pem", (certificates / "ca.pem").read_text())
    realm.text("ca/wrong.pem", stranger)
    realm.idp("of-engine", CALLS, http={"allow": allow})
    realm.idp("right", CALLS, http={"allow": allow, "ca": "ca/right.pem"})
    realm.idp("wrong", CALLS, http={"allow": allow, "ca": "ca/wrong.pem"})
    service = start(realm)

    def ask(idp):
        answer = service.complete(
            idp, [["get", f"https://localhost:{port}/echo"]] * 2)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.json()["data"])

    for _ in range(2):
        for result in ask("of-engine") + ask("wrong"):
            assert_error(result, "tls")
        assert [r["status"] for r in ask("right")] == [200, 200]
    assert "is no file of a realm" not in service.logs()
    realm.settings(http={"ca": "ca/right.pem"})
    service = start(realm)
    assert [r["status"] for r in ask("of-engine")] == [200, 200]
    for result in ask("wrong"):
        assert_error(result, "tls")


def test_what_is_refused_is_no_effect(service, call, url):
    def intents(**labels):
        return service.count("postern_host_calls_total", call="http_intent",
                             **labels)
    before = intents()
    assert_error(call(["get", "http://10.0.0.1/"])[0], "refused")
    assert intents() == before
    assert call(["get", url("plain", "/echo")])[0]["status"] == 200
    assert intents(outcome="ok") == before + 1


def test_an_engine_lost_after_a_request(start):
    """The fate is unknown, and the request is never sent twice."""
    partner = Partner()
    realm = standard_realm("lost")
    realm.idp("lost", CALLS, http={"allow": [f"127.0.0.1:{partner.port}"]})
    service = start(realm, engines=("one", "two"))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(service.complete(
        "lost", [["get", f"http://127.0.0.1:{partner.port}/held"]])))
    thread.start()
    until(lambda: partner.requests, "the request", 5 * SLOWNESS)
    for engine in service.engines.values():
        engine.kill()
        engine.start()
    thread.join()
    assert answers[0].status_code == 500
    assert int(service.failure_of(answers[0])["code"]) == 3015
    assert len(partner.requests) == 1
    partner.close()
