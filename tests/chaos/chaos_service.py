"""A service whose engines are on hosts of the test's own, linked over TLS."""

import signal
import sqlite3

import requests

from ground import GATEWAY_ADDRESS
from harness.links import LinkedService
from harness.processes import Process
from harness.service import Service
from harness.standard import standard_realm
from harness.wait import until

BACK_SECS = 15

# Some work, and what the request's data names. An order: id, and what it is to
# do: call a URL with its id, spin for so many ms.
ORDERS = """
function execute(requestPayload) {
  var order = JSON.parse(requestPayload);
  if (order.url) { HTTP.post(order.url + order.id, ""); }
  var end = Date.now() + (order.ms || 0);
  while (Date.now() < end) {}
  return {status: 2000, user: {id: order.id}, responsePayload: order.id};
}
"""


def chaos_realm():
    """One script under several names, so that each is counted for itself."""
    realm = standard_realm("orders", "effects", "warm_up", "slow")
    script = {"cpu_ms": 5000, "executions_per_process": 1000}
    realm.idp("orders", ORDERS, script=script)
    realm.idp("effects", ORDERS, http={"allow": [f"{GATEWAY_ADDRESS}:8000"]},
              script=script)
    realm.idp("warm_up", ORDERS, script=script)
    realm.idp("slow", ORDERS, script=script)
    return realm


class HostedProcess(Process):
    """A process on one of the hosts; `host` None: on the gateway's."""

    def __init__(self, process, host):
        super().__init__(process.name, process.flags, process.directory)
        self.host = host

    def start(self):
        if self.host is None:
            super().start()
        else:
            self.host.run(super().start)


class Ledger:
    """What the gateway's log and store say of a run."""

    codes = {}

    def code_of(self, correlation_id):
        """The number in the log of how an execution failed; 500: none."""
        if correlation_id not in self.codes:
            self.codes = {entry["correlation_id"]: int(entry["code"])
                          for entry in self.gateway.log_entries()
                          if entry.get("event") == "execution ended"}
        return self.codes.get(correlation_id, 500)

    def registrations(self, idp="orders"):
        """How many grants each user got, in the store itself."""
        (path,) = self.data_dir.glob("*.db")
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return dict(database.execute(
                "SELECT sub, count(*) FROM grants WHERE idp = ? GROUP BY sub",
                (idp,)))
        finally:
            database.close()


class LocalService(Ledger, Service):
    """On this host alone, without identity keys: a liar is let in."""


class ChaosService(Ledger, LinkedService):
    tls_address = GATEWAY_ADDRESS

    def __init__(self, realm, pki, hosts, engines=("a", "b", "c"),
                 gateway_flags=(), slots=4):
        self.hosts = dict(zip(engines, hosts))
        super().__init__(realm, pki, {name: {"slots": slots}
                                      for name in engines}, gateway_flags)

    def new_engine(self, name, flags):
        return HostedProcess(super().new_engine(name, flags),
                             self.hosts.get(name))

    def replace(self, name):
        """kill -9, and the same again at once, as a supervisor would."""
        self.engines[name].kill()
        self.engines[name].start()

    def move(self, name, host=None):
        """Drained, and started anew, perhaps elsewhere."""
        engine = self.engines[name]
        assert engine.stop() == 0
        engine.host = host or engine.host
        engine.start()

    def wait_engines(self, count, secs=BACK_SECS):
        until(lambda: self.count("postern_engines") == count,
              f"{count} engines", secs)

    def answers(self):
        try:
            self.metrics()
        except requests.RequestException:
            return False
        return True

    def end(self):
        """A stopped process would not hear that it is to end."""
        for process in self.processes():
            if process.is_running():
                process.signal(signal.SIGCONT)
        for host in self.hosts.values():
            host.heal()
        return super().end()
