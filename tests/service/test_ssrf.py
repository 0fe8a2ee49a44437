"""Where HTTP of scripts must not get: every spelling of a private address,
names and redirections that lead there; and that what is listed works."""

import json
import os
import socket
import struct
import subprocess
import threading

import pytest

from harness.partner import Partner
from harness.processes import BIN
from harness.service import Service
from harness.standard import standard_realm

CALLS = """
function execute(requestPayload) {
  var results = JSON.parse(requestPayload).map(function (url) {
    try {
      return HTTP.get(url).status;
    } catch (e) {
      return e.name === "HttpError" ? e.code : String(e);
    }
  });
  return {status: 2000, user: {id: "x"}, responsePayload: results};
}
"""

FORBIDDEN = [
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433",
    "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0177.1", "0", "0.0",
    "0.0.0.0", "10.0.0.1", "10.255.255.255", "167772161", "0xa000001",
    "012.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1",
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[fc00::1]",
    "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
    "224.0.0.1", "255.255.255.255", "198.18.0.1", "168.63.129.16",
    "metadata.google.internal", "localhost.", "127.0.0.1.", "127。0。0。1",
    "①②⑦.0.0.1", "127.0.0.1%2f@api.test", "api.test@127.0.0.1",
]


@pytest.fixture(scope="module")
def inside():
    """What must not be reached: on all addresses of this host's loopback."""
    partner = Partner("0.0.0.0")
    yield partner
    assert partner.requests == []
    partner.close()


@pytest.fixture(scope="module")
def listed():
    partner = Partner("127.0.0.1")
    yield partner
    partner.close()


@pytest.fixture(scope="module")
def realm(inside, listed):
    realm = standard_realm("nothing", "names", "everywhere", "open")
    realm.idp("nothing", CALLS)
    # Each name is allowed; where it resolves to is another matter.
    names = ["localhost", "*.test"]
    realm.idp("names", CALLS, http={"allow": [
        f"{name}:{port}" for name in names
        for port in (inside.port, listed.port)]})
    realm.idp("everywhere", CALLS, http={"allow": [
        "*.test", "localhost", "*.internal"]})
    realm.idp("open", CALLS, http={"allow": [
        f"127.0.0.1/32:{listed.port}", f"one.test:{listed.port}",
        f"one.test:{inside.port}", f"two.test:{inside.port}",
        f"localhost:{listed.port}"]})
    return realm


@pytest.fixture(scope="module")
def running_service(realm, inside, listed):
    resolve = [f"{name}:{partner.port}:{address}"
               for partner in (inside, listed)
               for name, address in (
                   ("one.test", "127.0.0.1"), ("two.test", "127.0.0.2"),
                   ("ten.test", "10.0.0.1"), ("six.test", "[::1]"),
                   ("mapped.test", "[::ffff:127.0.0.1]"),
                   ("meta.test", "169.254.169.254"))]
    with Service(realm, engine_flags=[
            "--http-resolve=" + ",".join(resolve),
            "--http-connect-ms=500"]) as service:
        yield service


@pytest.fixture
def call(service):
    def call(idp, *urls):
        answer = service.complete(idp, list(urls))
        assert answer.status_code == 200, (answer.text, service.logs())
        return json.loads(answer.json()["data"])
    return call


@pytest.mark.parametrize("idp", ["nothing", "names", "everywhere", "open"])
def test_every_spelling(call, inside, idp):
    for first in range(0, len(FORBIDDEN), 10):
        hosts = FORBIDDEN[first:first + 10]
        results = call(idp, *[f"http://{host}:{inside.port}/"
                              for host in hosts])
        for host, result in zip(hosts, results):
            assert result in ("refused", "invalid"), (host, result)


@pytest.mark.parametrize("name", ["one", "two", "ten", "six", "mapped",
                                  "meta"])
def test_names_that_lead_inside(call, inside, listed, name):
    assert call("names", f"http://{name}.test:{inside.port}/",
                f"http://{name}.test:{listed.port}/",
                f"http://localhost:{inside.port}/") == ["refused"] * 3


def test_listed_works(call, listed, inside):
    before = len(listed.requests)
    assert call("open", f"http://127.0.0.1:{listed.port}/status/200",
                f"http://one.test:{listed.port}/status/200",
                f"http://localhost:{listed.port}/status/200",
                f"http://2130706433:{listed.port}/status/200",
                f"http://[::ffff:127.0.0.1]:{listed.port}/status/200",
                ) == [200] * 5
    assert len(listed.requests) == before + 5
    # The block is listed for one port, the names for both.
    assert call("open", f"http://one.test:{inside.port}/",
                f"http://127.0.0.1:{inside.port}/",
                f"http://127.0.0.2:{listed.port}/",
                f"http://two.test:{inside.port}/") == ["refused"] * 4


@pytest.mark.parametrize("where", [
    "http://127.0.0.2:{inside}/", "http://10.0.0.1/", "//127.0.0.2:{inside}/",
    "http://2130706434:{inside}/", "http://[::1]:{inside}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://one.test:{inside}/", "http://two.test:{inside}/"])
def test_redirections(call, listed, inside, where):
    where = where.format(inside=inside.port)
    url = f"http://127.0.0.1:{listed.port}"
    assert call("open", f"{url}/to/302/{where}", f"{url}/to/307/{where}"
                ) == ["refused"] * 2


@pytest.mark.parametrize("where", ["file:///etc/passwd", "gopher://x/",
                                   "http://u:p@127.0.0.1/"])
def test_redirections_to_no_url(call, listed, where):
    url = f"http://127.0.0.1:{listed.port}/to/302/{where}"
    assert call("open", url)[0] in ("redirect", "refused", 302)


def test_the_environment_names_no_proxy(start, realm, listed, monkeypatch):
    service = start(realm)
    service.engine.stop()
    with monkeypatch.context() as environment:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            environment.setenv(name, f"http://127.0.0.1:{listed.port}")
        service.engine.start()
    service.wait_ready()
    before = len(listed.requests)
    answer = service.complete(
        "names", [f"http://nowhere.test:{listed.port}/"])
    assert json.loads(answer.json()["data"])[0] in ("connect", "timeout")
    assert len(listed.requests) == before


# -- a name server that changes its mind --------------------------------------

class Rebinding:
    """Answers the first question about a name with `first`, all later ones
    with `then`, for zero seconds."""

    def __init__(self, address, first, then):
        self.answers = (first, then)
        self.asked = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                question, peer = self.socket.recvfrom(1500)
            except OSError:
                return
            self.socket.sendto(self.answer(question), peer)

    def answer(self, question):
        end = question.index(b"\0", 12) + 5
        kind = struct.unpack(">H", question[end - 4:end - 2])[0]
        head = question[:2] + b"\x81\x80\0\1\0%c\0\0\0\0" % (kind == 1)
        if kind != 1:
            return head + question[12:end]
        name = question[12:end]
        count = self.asked[name] = self.asked.get(name, 0) + 1
        address = socket.inet_aton(self.answers[count > 1])
        return (head + name + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + address)


def can_have_own_resolver():
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True,
                          check=False)
    return os.getuid() == 0 and done.returncode == 0


@pytest.mark.skipif(not can_have_own_resolver(),
                    reason="needs a mount namespace")
@pytest.mark.parametrize("swapped", [False, True])
def test_rebinding(start, realm, inside, listed, tmp_path, swapped):
    """Whatever a name meant before, the address connected to is judged."""
    answers = ("127.0.0.1", "127.0.0.2")
    resolver = "127.0.0.78" if swapped else "127.0.0.77"
    server = Rebinding(resolver, *(reversed(answers) if swapped else answers))
    (tmp_path / "resolv.conf").write_text(f"nameserver {resolver}\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: files dns\n")
    service = start(realm)
    engine = service.engine
    engine.stop()
    binary = BIN / "postern-engine"
    wrapper = tmp_path / "engine"
    wrapper.write_text(
        "#!/bin/sh\n"
        f"mount --bind {tmp_path}/resolv.conf /etc/resolv.conf\n"
        f"mount --bind {tmp_path}/nsswitch.conf /etc/nsswitch.conf\n"
        f'exec {binary} "$@"\n')
    wrapper.chmod(0o755)
    popen = subprocess.Popen(
        ["unshare", "-m", str(wrapper), *engine.flags],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    engine.popen = popen
    try:
        service.wait_ready()
        results = []
        for number in range(6):
            url = f"http://one.test:{listed.port}/status/200"
            answer = service.complete("open", [url])
            assert answer.status_code == 200, (number, service.logs())
            results += json.loads(answer.json()["data"])
        # One of the answers is listed, the other never.
        assert set(results) <= {200, "refused"}
        assert results[0] == ("refused" if swapped else 200)
        assert server.asked
    finally:
        server.socket.close()
