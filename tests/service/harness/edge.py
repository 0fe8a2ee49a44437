"""HAProxy with the configuration that is shipped, before a gateway."""

import shutil
import ssl
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import raw_http
from harness.processes import ROOT, free_port
from harness.resource_server import make_certificates
from harness.wait import until

SHIPPED = ROOT / "systemd" / "haproxy.cfg"
HAPROXY = "/usr/sbin/haproxy"

# What is of the host it runs on, and not of how it behaves.
OF_THE_HOST = ("log /dev/log local0", "user haproxy", "group haproxy",
               "chroot /var/lib/haproxy")


class Edge:
    """In a `with`: running. `source` is the address that a client has."""

    def __init__(self, gateway_port):
        if not Path(HAPROXY).exists():
            pytest.skip("haproxy is not installed: .ci/packages test")
        self.directory = Path(tempfile.mkdtemp(prefix="postern-edge-"))
        self.port = free_port()
        self.gateway_port = gateway_port
        self.popen = None
        self.tls = None

    def configuration(self):
        text = SHIPPED.read_text()
        changes = [(f"\t{line}\n", "") for line in OF_THE_HOST]
        changes += [
            ("bind :443 ssl crt /etc/haproxy/postern.pem",
             f"bind 127.0.0.1:{self.port} ssl crt {self.directory}/edge.pem"),
            ("server gateway 127.0.0.1:8080",
             f"server gateway 127.0.0.1:{self.gateway_port}")]
        for shipped, ours in changes:
            assert text.count(shipped) == 1, shipped
            text = text.replace(shipped, ours)
        return text

    def __enter__(self):
        make_certificates(self.directory)
        conf = self.directory / "haproxy.cfg"
        conf.write_text(self.configuration())
        self.tls = ssl.create_default_context(
            cafile=self.directory / "ca.pem")
        with open(self.directory / "log", "wb") as log:
            self.popen = subprocess.Popen(
                [HAPROXY, "-db", "-f", str(conf)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        try:
            until(self.answers, "HAProxy")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def answers(self):
        assert self.popen.poll() is None, (self.directory / "log").read_text()
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def __exit__(self, kind, value, trace):
        self.popen.kill()
        self.popen.wait()
        shutil.rmtree(self.directory)

    def connect(self, source="127.0.0.1", secs=raw_http.READ_SECS):
        plain = socket.create_connection(("127.0.0.1", self.port), secs,
                                         (source, 0))
        return self.tls.wrap_socket(plain, server_hostname="localhost")

    def exchange(self, request):
        """Sends, reads to the close of the peer."""
        with self.connect() as connection:
            try:
                connection.sendall(request)
            except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
                pass
            return raw_http.Answer(raw_http.read_all(connection))
