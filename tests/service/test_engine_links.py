"""Engines on other hosts: mutual TLS, identity keys, rotation, revocation,
labels, several gateways, drain and health, with the real executables."""

import shutil
import signal
import socket
import threading
import time

import pytest

from harness import configuration
from harness.impostor import HELLO, Impostor, challenge, welcome
from harness.links import SERVER_NAME, LinkedService, Pki
from harness.processes import SLOWNESS
from harness.service import success
from harness.standard import standard_realm
from harness.wait import until

READY_SECS = 10 * SLOWNESS

# An engine that stands still gets no work after this.
OUT_SECS = 3 * SLOWNESS

SLOW = """
function execute(requestPayload) {
  var end = Date.now() + 400;
  while (Date.now() < end) {}
  return {status: 2000, user: {id: "slow"}, responsePayload: "done"};
}
"""


@pytest.fixture(scope="module")
def pki():
    pki = Pki()
    for name in ("far", "near", "other", "bank"):
        pki.engine(name)
    yield pki
    pki.remove()


@pytest.fixture(scope="module")
def foreign_pki():
    """Another authority's, with names of the same sound."""
    pki = Pki()
    pki.engine("other")
    yield pki
    pki.remove()


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("pinned", "slow")
    realm.idp("pinned", MIRROR_PINNED, engines=["bank"])
    realm.idp("slow", SLOW)
    return realm


MIRROR_PINNED = """
function execute(requestPayload) { return JSON.parse(requestPayload); }
"""


@pytest.fixture(scope="module")
def running_service(realm, pki):
    """One engine over TLS, one over ipc."""
    near = {"gateways": None, "tls-ca": None, "tls-cert": None,
            "tls-key": None, "tls-server-name": None}
    service = LinkedService(realm, pki, {"far": {}, "near": near})
    service.engines["near"].flags.append(f"--gateways={service.engines_url}")
    with service:
        yield service


@pytest.fixture
def own(realm, pki):
    """Starts a service of the test's own: own({"far": {}}, pki=...)."""
    services = []

    def start(engines, use=None):
        service = LinkedService(realm, use or pki, engines).__enter__()
        services.append(service)
        return service

    yield start
    problems = []
    for service in services:
        problems += service.end()
    assert not problems, problems


def serves(service, times=1):
    for number in range(times):
        answer = service.complete("mirror", success(f"u{number}"))
        assert answer.status_code == 200, answer.text


def wait_for_log(process, event, **fields):
    def seen():
        return any(entry.get("event") == event and
                   all(part in str(entry.get(key, ""))
                       for key, part in fields.items())
                   for entry in process.log_entries())
    until(seen, f"{event} {fields}", READY_SECS)


# ---- who gets in -----------------------------------------------------------


def test_engines_on_both_kinds_of_listener_work(service):
    assert service.count("postern_engines") == 2
    serves(service, 20)
    for peer in ("127.0.0.1:", "uid "):
        wait_for_log(service.gateway, "engine connected", peer=peer)


def stays_out(service, name, event, of_engine=False, **differences):
    """An engine that is different in this way is never an engine here."""
    engine = service.add_engine(name, **differences)
    wait_for_log(engine if of_engine else service.gateway, event, engine=(
        "" if of_engine else name))
    assert service.count("postern_engines") == 2
    serves(service, 3)
    service.drop_engine(name)
    assert not [entry for entry in engine.log_entries()
                if entry.get("event") == "session with the gateway"]


def test_no_certificate_of_the_authority_no_session(service, foreign_pki):
    """Of another authority: each end refuses the other's."""
    engine = service.add_engine(
        "other", tls_cert=foreign_pki.file("engine-other.crt"),
        tls_key=foreign_pki.file("engine-other.key"))
    wait_for_log(engine, "engine started")
    outlasts_refusals(service)
    service.drop_engine("other")


def outlasts_refusals(service, dials=10):
    """TLS refuses without a word in our logs: engines dial every 200 ms, so
    after this many heartbeats of the others they were refused often."""
    for _ in range(dials):
        serves(service)
        time_of_a_heartbeat(service)
    assert service.count("postern_engines") == 2


def time_of_a_heartbeat(service):
    connected = [entry for entry in service.gateway.log_entries()
                 if entry.get("event") == "engine connected"]
    assert len(connected) >= 2
    end = time.monotonic() + 0.1
    until(lambda: time.monotonic() > end, "a dial")


@pytest.mark.parametrize("difference", [
    {"tls_cert": "gateway"},            # a server's certificate
    {"tls_server_name": "else.test"},   # not the gateway's name
    {"tls_ca": "foreign"},              # does not believe the gateway
], ids=["key-usage", "server-name", "authority"])
def test_tls_refuses(service, pki, foreign_pki, difference):
    if "tls_cert" in difference:
        stem = f"gateway-{SERVER_NAME}"
        difference = {"tls_cert": pki.file(stem + ".crt"),
                      "tls_key": pki.file(stem + ".key")}
    if "tls_ca" in difference:
        difference = {"tls_ca": foreign_pki.file("ca.crt")}
    engine = service.add_engine("other", **difference)
    wait_for_log(engine, "engine started")
    outlasts_refusals(service)
    service.drop_engine("other")
    assert not [entry for entry in engine.log_entries()
                if entry.get("event") == "session with the gateway"]


def test_a_certificate_is_needed(service):
    """Plain TCP and TLS without a client certificate get nowhere."""
    with socket.create_connection(("127.0.0.1", service.tls_port)) as plain:
        plain.settimeout(READY_SECS)
        plain.sendall(b"\0SP\0\0\x30\0\0" + b"x" * 64)
        answer = plain.recv(64)
        assert not answer.startswith(b"\0SP")
    serves(service)


def test_a_wrong_key_is_found_out_by_the_engine(service, foreign_pki):
    """The gateway proves itself first, so the engine sees the mismatch."""
    stays_out(service, "other", "the gateway is not trusted", of_engine=True,
              identity_key=foreign_pki.file("engine-other.identity"))


def test_a_name_without_a_key_is_refused(service, pki):
    stays_out(service, "stranger", "engine refused",
              tls_cert=pki.file("engine-other.crt"),
              tls_key=pki.file("engine-other.key"),
              identity_key=pki.file("engine-other.identity"))


def test_no_key_at_all_is_refused(service):
    stays_out(service, "nobody", "engine refused", gateways=service.engines_url,
              tls_ca=None, tls_cert=None, tls_key=None, tls_server_name=None,
              identity_key=None)


def test_a_second_engine_of_a_name_waits(service, pki):
    """The one at work stays; the copy comes in when it is gone."""
    copy = service.add_engine(
        "copy", name="far", tls_cert=pki.file("engine-far.crt"),
        tls_key=pki.file("engine-far.key"),
        identity_key=pki.file("engine-far.identity"))
    wait_for_log(copy, "the gateway refuses this engine")
    assert service.count("postern_engines") == 2
    service.engines["far"].kill()
    wait_for_log(copy, "session with the gateway")
    serves(service, 5)
    service.drop_engine("copy")
    service.restart(service.engines["far"])


@pytest.mark.parametrize("answer,why", [
    (welcome, "asked for no proof"),
    (challenge, "identity key"),
], ids=["asks-nothing", "guesses"])
def test_an_impostor_with_a_gateways_certificate(service, pki, answer, why):
    """It gets neither the engine's proof nor a ticket."""
    impostor = Impostor(pki, SERVER_NAME, answer)
    label = "of-" + answer.__name__  # a log of its own
    engine = service.add_engine(
        label, name="other", gateways=impostor.url,
        tls_cert=pki.file("engine-other.crt"),
        tls_key=pki.file("engine-other.key"),
        identity_key=pki.file("engine-other.identity"))
    wait_for_log(engine, "the gateway is not trusted", error=why)
    service.drop_engine(label)
    impostor.close()
    assert {message["t"] for message in impostor.heard} == {HELLO}
    assert not any("proof" in message for message in impostor.heard)


# ---- keys and certificates change -------------------------------------------


class Load:
    """Requests without pause; every answer must be a success."""

    def __init__(self, service, threads=3, idp="mirror", first=20):
        self.service = service
        self.first = first
        self.idp = idp
        self.ended = threading.Event()
        self.problems = []
        self.successes = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work)
                        for _ in range(threads)]

    def work(self):
        while not self.ended.is_set():
            answer = self.service.complete(self.idp, success())
            with self.lock:
                if answer.status_code == 200:
                    self.successes += 1
                else:
                    self.problems.append(answer.text)

    def flow(self, more=20):
        target = self.successes + more
        until(lambda: self.successes >= target, "the load to flow",
              READY_SECS)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.flow(self.first)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert not self.problems, self.problems[:3]


def test_certificates_rotate_without_a_restart(own):
    """New authority, new certificates: running pipes stay, new ones use the
    new files, whoever has the old ones only is refused."""
    changing, following = Pki(), Pki()
    try:
        changing.engine("far")
        following.engine("far")
        service = own({"far": {}}, use=changing)
        old = changing.file("old")
        old.mkdir()
        for name in ("ca.crt", "engine-far.crt", "engine-far.key"):
            shutil.copy(changing.file(name), old / name)
        with Load(service) as load:
            for name in ("ca.crt", f"gateway-{SERVER_NAME}.crt",
                         f"gateway-{SERVER_NAME}.key", "engine-far.crt",
                         "engine-far.key"):
                shutil.copy(following.file(name), changing.file(name))
            service.reload()
            service.engine.signal(signal.SIGHUP)
            load.flow()
            before = service.count("postern_dispatch_events_total",
                                   event="engine_lost")
            assert before == 0
        service.engine.kill()
        service.restart(service.engine)
        serves(service, 3)
        service.engine.kill()
        late = service.add_engine(
            "late", name="far", tls_ca=old / "ca.crt",
            tls_cert=old / "engine-far.crt", tls_key=old / "engine-far.key",
            identity_key=changing.file("engine-far.identity"))
        wait_for_log(late, "engine started")
        until(lambda: service.count("postern_engines") == 0, "the loss")
        service.drop_engine("late")
        assert not [entry for entry in late.log_entries()
                    if entry.get("event") == "session with the gateway"]
    finally:
        changing.remove()
        following.remove()


def test_bad_files_leave_the_old_in_use(own):
    pki = Pki()
    try:
        pki.engine("far")
        service = own({"far": {}}, use=pki)
        pki.file(f"gateway-{SERVER_NAME}.crt").write_text("no certificate")
        service.reload()
        wait_for_log(service.gateway,
                     "engines' keys and certificates: old ones stay")
        service.engine.kill()
        service.restart(service.engine)
        serves(service)
    finally:
        pki.remove()


def test_a_key_that_is_taken_away_ends_the_session(own):
    pki = Pki()
    try:
        pki.engine("far")
        pki.engine("other")
        service = own({"far": {}, "other": {}}, use=pki)
        with Load(service) as load:
            pki.run("revoke", "other")
            service.reload()
            until(lambda: service.count("postern_engines") == 1,
                  "the session's end", READY_SECS)
            load.flow()
        assert service.count("postern_dispatch_events_total",
                             event="engine_revoked") == 1
        wait_for_log(service.engines["other"],
                     "the gateway refuses this engine", remedy="engines_keys")
        # At SIGTERM it would wait for a gateway that takes its last results.
        service.engines["other"].kill()
    finally:
        pki.remove()


# ---- labels ----------------------------------------------------------------


def test_an_idp_runs_on_engines_of_its_label_only(service, pki):
    refused = service.complete("pinned", success())
    assert refused.status_code == 503
    service.add_engine("bank", labels="eu,bank")
    until(lambda: service.count("postern_engines") == 3, "bank", READY_SECS)
    for _ in range(10):
        answer = service.complete("pinned", success())
        assert answer.status_code == 200, answer.text
    ended = [entry["engine"] for entry in service.gateway.log_entries()
             if entry.get("event") == "execution ended" and
             entry.get("idp") == "pinned"]
    assert set(ended) == {"bank"}
    service.drop_engine("bank")


def test_labels_that_the_key_does_not_allow_are_refused(own):
    pki = Pki()
    try:
        pki.engine("far", "eu")
        pki.engine("other", "eu")
        service = own({"far": {"labels": "eu"}}, use=pki)
        liar = service.add_engine("other", labels="eu,bank")
        wait_for_log(liar, "the gateway refuses this engine", remedy="labels")
        assert service.count("postern_engines") == 1
        service.drop_engine("other")
    finally:
        pki.remove()


# ---- several gateways --------------------------------------------------------


def test_one_engine_serves_two_gateways(own, pki, realm):
    """Each has half the slots; a gateway that is away lends its half."""
    first = own({"near": {}})
    second = own({"far": {}})
    both = first.add_engine("other", gateways=f"{first.tls_url},"
                            f"{second.tls_url}")
    for service in (first, second):
        until(lambda s=service: s.count("postern_engines") == 2, "both",
              READY_SECS)
        until(lambda s=service: s.count("postern_tickets") == 4 + 2,
              "half the slots", READY_SECS)
    first.engines["near"].kill()
    second.engines["far"].kill()
    second.gateway.kill()
    until(lambda: first.count("postern_tickets") == 4, "the lent slots",
          READY_SECS)
    serves(first, 5)
    second.gateway.start()
    until(lambda: second.is_ready() and
          second.count("postern_tickets") == 2, "its own slots", READY_SECS)
    until(lambda: first.count("postern_tickets") == 2, "the return",
          READY_SECS)
    with Load(first), Load(second):
        pass
    assert both.stop() == 0


# ---- drain and health ----------------------------------------------------------


def test_an_engine_is_replaced_under_load(own):
    """SIGTERM: what runs is finished, nothing fails, exit status 0."""
    service = own({"far": {}, "other": {}})
    with Load(service) as load, Load(
            service, threads=2, idp="slow", first=1):
        for name in ("far", "other"):
            engine = service.engines[name]
            assert engine.stop() == 0
            load.flow()
            engine.start()
            until(lambda: service.count("postern_engines") == 2,
                  "the new one", READY_SECS)


def test_the_operator_drains_an_engine(own):
    """By command: what runs is finished, nothing fails, exit status 0."""
    service = own({"far": {}, "other": {}})
    rows = {row["name"]: row
            for row in configuration.get(service, "/engines").json()["items"]}
    assert set(rows) == {"far", "other"}
    assert rows["far"]["state"] == "serving"
    assert rows["far"]["peer"].startswith("127.0.0.1:")
    with Load(service) as load, Load(
            service, threads=2, idp="slow", first=1):
        told = configuration.call(service, "POST", "/engines/far/drain", {})
        assert told.status_code == 204, told.text
        far = service.engines["far"]
        until(lambda: not far.is_running(), "its exit", READY_SECS)
        assert far.popen.returncode == 0
        load.flow()
    again = configuration.call(service, "POST", "/engines/far/drain", {})
    assert again.status_code == 404


def test_an_engine_that_stands_still_is_out_and_comes_back(own):
    service = own({"far": {}, "other": {}})
    with Load(service) as load:
        service.engines["far"].signal(signal.SIGSTOP)
        begin = time.monotonic()
        try:
            until(lambda: service.count("postern_engines") == 1, "its end",
                  READY_SECS)
            assert time.monotonic() - begin < OUT_SECS
            load.flow()
        finally:
            service.engines["far"].signal(signal.SIGCONT)
        until(lambda: service.count("postern_engines") == 2, "its return",
              READY_SECS)
        until(lambda: service.count("postern_dispatch_events_total",
                                    event="engine_back") >= 1,
              "the probe's success", READY_SECS)


def test_silent_and_vanishing_peers_cost_nothing(service):
    """A thousand that connect and go, a few that say nothing."""
    silent = [socket.create_connection(("127.0.0.1", service.tls_port))
              for _ in range(20)]
    for number in range(1000):
        with socket.create_connection(("127.0.0.1", service.tls_port)) as peer:
            if number % 2:
                peer.sendall(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
    serves(service, 3)
    far = service.engines["far"]
    far.kill()
    service.restart(far)
    serves(service, 5)
    for peer in silent:
        peer.close()
