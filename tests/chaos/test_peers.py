"""Peers on the engines' sockets that are no engines, or bad ones: service
never stops."""

import socket
import ssl
import time

import pytest

from harness.links import SERVER_NAME
from chaos_service import LocalService, chaos_realm
from ground import GATEWAY_ADDRESS
from liar import LIES, Liar
from load import Load
from test_engine_kills import pass_time

PEERS = 1000
OPEN_AT_A_TIME = 16
STOP_SECS_MAX = 1.0
RATE = 100
GREETING = b"\0SP\0\0\x30\0\0"
OUT_SECS = 3


def connect(service, kind):
    if kind == "ipc":
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(service.engines_url.removeprefix("ipc://"))
        return peer
    return socket.create_connection((GATEWAY_ADDRESS, service.tls_port))


def garbage(choice):
    """What a peer says: noise, an almost right greeting, SP and then noise, a
    length without end, the beginning of TLS."""
    noise = choice.randbytes(choice.randrange(1, 2000))
    return choice.choice([
        noise, GREETING[:choice.randrange(1, 8)], GREETING + noise,
        GREETING + b"\x01" + b"\xff" * 8 + noise,
        GREETING + b"\x01" + (1 << 19).to_bytes(8, "big") + noise,
        b"\x16\x03\x01" + noise, b"GET / HTTP/1.1\r\n\r\n"])


def send_all(peer, data):
    try:
        peer.sendall(data)
    except OSError:
        pass  # hung up on: that is its right


def flood(service, kind, choice, speak):
    """PEERS of them, some open at a time."""
    opened = []
    for _ in range(PEERS):
        peer = connect(service, kind)
        if speak:
            peer.settimeout(2)
            send_all(peer, garbage(choice))
        opened.append(peer)
        if not speak or len(opened) >= OPEN_AT_A_TIME:
            opened.pop(choice.randrange(len(opened))).close()
    for peer in opened:
        peer.close()


@pytest.mark.parametrize("speak", [False, True], ids=["silent", "garbage"])
@pytest.mark.parametrize("kind", ["ipc", "tls"])
def test_flood(start, choice, tally, kind, speak):
    service = start()
    with Load(service.url, idp="orders", rate=RATE) as load:
        begin = time.monotonic()
        flood(service, kind, choice, speak)
        took = time.monotonic() - begin
        load.flow(RATE)
        # Who dials now gets in.
        service.replace("a")
        service.wait_engines(3)
        load.flow(RATE)
    gap = load.longest_gap_secs()
    failures = tally.row(
        f"{PEERS} {'garbage' if speak else 'connect-and-close'} peers, {kind}",
        load, service, service.registrations(),
        f"in {took:.1f} s; longest pause {gap * 1000:.0f} ms")
    assert not failures, failures
    assert gap < STOP_SECS_MAX


def test_garbage_within_tls(start, choice, tally, pki):
    """With an engine's certificate, and then no sense."""
    service = start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pki.file("ca.crt"))
    context.load_cert_chain(pki.file("engine-d.crt"),
                            pki.file("engine-d.key"))
    with Load(service.url, idp="orders", rate=RATE) as load:
        for _ in range(PEERS // 10):
            try:
                with context.wrap_socket(connect(service, "tls"),
                                         server_hostname=SERVER_NAME) as peer:
                    send_all(peer, garbage(choice))
            except OSError:
                pass
        load.flow(RATE)
    gap = load.longest_gap_secs()
    failures = tally.row(f"{PEERS // 10} garbage peers with a certificate",
                         load, service, service.registrations(),
                         f"longest pause {gap * 1000:.0f} ms")
    assert not failures, failures
    assert gap < STOP_SECS_MAX


@pytest.fixture
def local():
    with LocalService(chaos_realm(), engines=("one", "two")) as service:
        yield service


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_lying_engine(local, choice, tally, lie):
    """Nobody gets its answers, nothing fails for it, and it is soon out."""
    path = local.engines_url.removeprefix("ipc://")
    with Load(local.url, idp="orders", rate=RATE) as load, \
            Liar(path, lie, choice.random()) as liar:
        load.flow(RATE)
        pass_time(OUT_SECS)
        settled = liar.jobs
        pass_time(1)
        later = liar.jobs - settled
    failures = tally.row(f"lying engine: {lie.__name__}", load, local,
                         local.registrations(), f"{liar.jobs} jobs taken, "
                         f"p99 {load.p99_secs() * 1000:.0f} ms")
    assert not failures, failures
    assert set(local.registrations().values()) == {1}
    assert liar.jobs > 0
    if lie.__name__ not in ("twice", "oversize"):
        assert later <= 2, "it is still given work"
