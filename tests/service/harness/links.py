"""A service whose engines may be on other hosts: tls+tcp and identity keys,
made by the tool that operators use."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.processes import ROOT, Process, free_port
from harness.service import Service

SERVER_NAME = "gateway.test"


class Pki:
    """A directory of systemd/postern-pki."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="postern-pki-"))
        self.run("init")
        self.run("gateway", SERVER_NAME)

    def run(self, *arguments):
        subprocess.run([ROOT / "systemd" / "postern-pki", "--dir",
                        self.directory, *arguments], check=True, timeout=60,
                       stdout=subprocess.DEVNULL)

    def engine(self, name, labels=None):
        self.run("engine", name, *([labels] if labels else []))

    def file(self, name):
        return self.directory / name

    @property
    def keys(self):
        return self.file("engines.keys")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class LinkedService(Service):
    """The gateway listens on ipc and on tls+tcp and knows engines by keys.

    `engines` maps a name to what differs from an ordinary remote engine:
    a dict of flags, None for a flag that is left out."""

    tls_address = "127.0.0.1"

    def __init__(self, realm, pki, engines, gateway_flags=()):
        self.pki = pki
        self.tls_port = free_port()
        self.tls_url = f"tls+tcp://{self.tls_address}:{self.tls_port}"
        self.differences = engines
        super().__init__(realm, gateway_flags, engines=tuple(engines))

    def new_gateway(self, flags):
        return Process("postern-gateway", [
            *[flag for flag in super().new_gateway(()).flags
              if not flag.startswith("--engines-listen")],
            f"--engines-listen={self.engines_url},{self.tls_url}",
            f"--engines-keys={self.pki.keys}",
            f"--tls-ca={self.pki.file('ca.crt')}",
            f"--tls-cert={self.pki.file(f'gateway-{SERVER_NAME}.crt')}",
            f"--tls-key={self.pki.file(f'gateway-{SERVER_NAME}.key')}",
            *flags], self.directory)

    def new_engine(self, name, flags):
        settings = {
            "gateways": self.tls_url,
            "name": name,
            "slots": 4,
            "tls-server-name": SERVER_NAME,
            "tls-ca": self.pki.file("ca.crt"),
            "tls-cert": self.pki.file(f"engine-{name}.crt"),
            "tls-key": self.pki.file(f"engine-{name}.key"),
            "identity-key": self.pki.file(f"engine-{name}.identity"),
            "log-format": "json",
            **self.differences[name]}
        directory = self.directory / f"engine-{name}"
        directory.mkdir(exist_ok=True)
        return Process("postern-engine", [
            f"--{key}={value}" for key, value in settings.items()
            if value is not None] + list(flags), directory)

    def add_engine(self, label, **differences):
        """One more, started, that need not get in. Its name is its label
        unless it is said."""
        self.differences[label] = {
            key.replace("_", "-"): value for key, value in differences.items()}
        engine = self.new_engine(label, ())
        self.engines[label] = engine
        engine.start()
        return engine

    def drop_engine(self, name):
        engine = self.engines.pop(name)
        assert engine.stop() == 0
        assert not engine.leftovers()
