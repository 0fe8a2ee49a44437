"""The framing guard: requests that two parsers could read differently are
refused, whoever sends them, and start nothing (ARCHITECTURE 4, civetweb)."""

import base64
import json
import re

import pytest

from harness import raw_http
from harness.realm import SECRET
from harness.service import success
from harness.wait import until

PATH = "/oauth/custom-registration/mirror/complete"
BASIC = base64.b64encode(f"app:{SECRET}".encode()).decode()
BODY = json.dumps({"data": json.dumps(success())}).encode()


def answers_in(raw):
    """How many: a description may speak of HTTP/1.1 too."""
    return len(re.findall(rb"HTTP/1\.[01] [1-5]\d\d ", raw))


def request(*lines, start=f"POST {PATH} HTTP/1.1", body=BODY, host=True,
            length=True, auth=True, end="\r\n"):
    head = [start]
    if host:
        head.append("Host: 127.0.0.1")
    if auth:
        head.append(f"Authorization: Basic {BASIC}")
    head.append("Content-Type: application/json")
    if length:
        head.append(f"Content-Length: {len(body)}")
    head += lines
    head.append("Connection: close")
    text = end.join(head) + end + end
    return text.encode("latin-1") + body


def test_the_plain_request_is_accepted(service):
    answer = raw_http.exchange(service.port, request())
    assert answer.status == 200, answer.raw


SMUGGLING = {
    "length and chunked": request("Transfer-Encoding: chunked"),
    "chunked alone, odd": request("Transfer-Encoding: xchunked", length=False),
    "chunked, identity": request("Transfer-Encoding: chunked, identity",
                                 length=False),
    "length twice": request(f"Content-Length: {len(BODY)}"),
    "two lengths": request("Content-Length: 0"),
    "length +5": request(f"Content-Length: +{len(BODY)}", length=False),
    "length list": request(f"Content-Length: {len(BODY)}, {len(BODY)}",
                           length=False),
    "length hex": request("Content-Length: 0x10", length=False),
    "length negative": request("Content-Length: -1", length=False),
    "length empty": request("Content-Length: ", length=False),
    "length enormous": request("Content-Length: 99999999999999999999999",
                               length=False),
    "length with a space in it": request("Content-Length: 1 0", length=False),
    "host twice": request("Host: other"),
    "authorization twice": request("Authorization: Basic eDp5"),
    "no host": request(host=False),
    "space before colon": request("X-Odd : 1"),
    "length, space before colon": request(
        f"Content-Length : {len(BODY)}", length=False),
    "folded line": request("X-Folded: a\r\n b"),
    "folded last line": request("X-Folded: a\r\n\tb"),
    "line begins with space": request(" X-Odd: 1"),
    "bare LF": request(end="\n"),
    "one bare LF": request("X-Odd: 1\nX-Smuggled: 2"),
    "bare CR in value": request("X-Odd: a\rb"),
    "no colon": request("X-Odd"),
    "empty name": request(": value"),
    "NUL in value": request("X-Odd: a\0b"),
    "NUL in name": request("X-O\0dd: a"),
    "64 headers": request(*[f"X-{n}: 1" for n in range(64)]),
    "a thousand headers": request(*[f"X-{n}: 1" for n in range(1000)]),
    "HTTP/0.9": f"POST {PATH}\r\n\r\n".encode(),
    "HTTP/3.0": request(start=f"POST {PATH} HTTP/3.0"),
    "no version": request(start=f"POST {PATH}"),
    "absolute form": request(start=f"POST http://x{PATH} HTTP/1.1"),
    "asterisk form": request(start="OPTIONS * HTTP/1.1"),
    "CONNECT": request(start="CONNECT 127.0.0.1:80 HTTP/1.1"),
    "two spaces": request(start=f"POST  {PATH} HTTP/1.1"),
    "tab in the path": request(start=f"POST {PATH}\tx HTTP/1.1"),
    "no slash": request(start=f"POST {PATH[1:]} HTTP/1.1"),
    "dots": request(start="POST /oauth/../oauth/custom-registration/mirror/"
                          "complete HTTP/1.1"),
    "escaped segment": request(start="POST /oauth/custom-registration/"
                                     "mirr%6Fr/complete HTTP/1.1"),
    "escaped dots": request(start="POST /oauth/custom-registration/%2e%2e/"
                                  "complete HTTP/1.1"),
    "escaped verb": request(start="POST /oauth/custom-registration/mirror/"
                                  "complet%65 HTTP/1.1"),
    "NUL in the path": request(start=f"POST {PATH}%00 HTTP/1.1"),
    "upgrade": request("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__",
                       length=False, body=b"", start=f"GET {PATH} HTTP/1.1"),
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64
               + b"\r\n\r\n",
    "a long header": request("X-Long: " + "a" * 100000),
    "a long path": request(start="POST /" + "a" * 100000 + " HTTP/1.1"),
}


@pytest.mark.parametrize("sent", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_refused(service, sent):
    before = service.executions()
    answer = raw_http.exchange(service.port, sent)
    assert answer.status is None or 400 <= answer.status < 600, answer.raw
    assert answer.status != 500
    if answer.status is not None:
        assert b"<html" not in answer.raw.lower()
        body = answer.json()
        assert body["error"] and body["error_description"]
        assert answer.headers["content-type"].startswith("application/json")
        # One answer: what followed was not read as a second request.
        assert answers_in(answer.raw) == 1
    assert service.executions() == before
    assert raw_http.exchange(service.port, request()).status == 200


def test_what_follows_a_refused_head_is_no_request(service):
    before = service.executions()
    sent = request("Content-Length: 0").replace(b"Connection: close",
                                                b"X-Last: 1")
    answer = raw_http.exchange(service.port, sent + request())
    assert answers_in(answer.raw) == 1
    assert service.executions() == before


@pytest.mark.parametrize("name", ["Transfer-Encoding: chunked"])
def test_chunked_alone(service, name):
    """Accepted whole or refused, never half."""
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    sent = request(name, length=False, body=chunked)
    answer = raw_http.exchange(service.port, sent)
    assert answer.status in (200, 400, 411), answer.raw
    assert answers_in(answer.raw) == 1


def test_keep_alive(service):
    with raw_http.connect(service.port) as connection:
        for _ in range(3):
            connection.sendall(request().replace(b"Connection: close\r\n",
                                                 b""))
            answer = raw_http.read_one(connection)
            assert answer.status == 200
        connection.sendall(request())
        assert raw_http.read_one(connection).status == 200


def test_pipelined_requests_are_answered_in_order(service):
    kept = request().replace(b"Connection: close\r\n", b"")
    before = service.executions()
    answer = raw_http.exchange(service.port, kept + request())
    assert answers_in(answer.raw) == 2
    assert service.executions() == before + 2


def test_63_headers_are_fine(service):
    lines = [f"X-{n}: 1" for n in range(63 - 5)]
    assert raw_http.exchange(service.port, request(*lines)).status == 200


def test_a_body_cut_short_starts_nothing(service):
    before = service.executions()
    with raw_http.connect(service.port) as connection:
        connection.sendall(request()[:-5])
        connection.shutdown(1)
        raw_http.read_all(connection)
    assert service.executions() == before


def test_slow_bodies_run_into_their_deadline(start, realm):
    service = start(realm, gateway_flags=["--request-ms=1000",
                                          "--queue-ms=500"])
    sent = request()
    with raw_http.connect(service.port) as connection:
        connection.sendall(sent[:-10])
        # One byte now and then must not renew the time.
        answer = raw_http.Answer(raw_http.read_all(connection))
    assert answer.status in (None, 408)
    assert service.executions() == 0


def test_idle_connections_do_not_use_up_the_service(start, realm):
    service = start(realm, gateway_flags=["--threads=4",
                                          "--request-ms=1000",
                                          "--queue-ms=500"])
    idle = [raw_http.connect(service.port) for _ in range(8)]
    for connection in idle:
        connection.sendall(b"POST /oauth/")
    try:
        until(lambda: raw_http.exchange(service.port, request()).status == 200,
              "an answer in spite of idle connections", 30)
    finally:
        for connection in idle:
            connection.close()
