"""A resource server and a TLS edge that nobody here wrote: Apache with
mod_auth_openidc, and HAProxy with a test CA before the gateway.

Both run as children of the test, on free loopback ports, from one directory of
their own. Started as root they give that up by their own means; otherwise they
never had it.
"""

import os
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest
import requests
import urllib3

from harness.processes import SLOWNESS, STOP_SECS, free_port
from harness.wait import until

MODULES = Path("/usr/lib/apache2/modules")
APACHE_MODULES = ["mpm_event", "authn_core", "authz_core", "authz_user",
                  "alias", "auth_openidc"]

HAPROXY = """
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    option forwardfor
    http-reuse safe
frontend edge
    bind 127.0.0.1:{edge_port} ssl crt {directory}/edge.pem alpn http/1.1
    http-request set-header X-Forwarded-Proto https
    default_backend gateway
backend gateway
    server one 127.0.0.1:{gateway_port}
"""

APACHE = """
ServerRoot {directory}
ServerName localhost
PidFile {directory}/apache.pid
DefaultRuntimeDir {directory}
Mutex file:{directory}
ErrorLog {directory}/apache.log
LogLevel warn auth_openidc:info
{modules}
{identity}
StartServers 1
ThreadsPerChild 8
ServerLimit 1
MaxRequestWorkers 8
Listen 127.0.0.1:{by_introspection}
Listen 127.0.0.1:{by_keys}
DocumentRoot {directory}/www
OIDCCABundlePath {directory}/ca.pem
OIDCOAuthSSLValidateServer On
OIDCCryptoPassphrase only-in-tests
<Location "/">
    AuthType oauth20
    Require valid-user
</Location>
<Location "/writers">
    AuthType oauth20
    Require claim scope~(^|[[:space:]])write([[:space:]]|$)
</Location>
<VirtualHost 127.0.0.1:{by_introspection}>
    OIDCOAuthIntrospectionEndpoint {edge}/oauth/api/v2/token/introspect
    OIDCOAuthIntrospectionEndpointAuth client_secret_basic
    OIDCOAuthClientID inspector
    OIDCOAuthClientSecret {secret}
    OIDCOAuthRemoteUserClaim sub
    # Not a second: what is revoked is refused at the next request.
    OIDCOAuthTokenIntrospectionInterval -1
</VirtualHost>
<VirtualHost 127.0.0.1:{by_keys}>
    OIDCOAuthVerifyJwksUri {edge}/oauth/v1/keys
    OIDCOAuthRemoteUserClaim sub
</VirtualHost>
"""


def need_packages():
    for program, package in (("/usr/sbin/apache2", "apache2"),
                             ("/usr/sbin/haproxy", "haproxy"),
                             (MODULES / "mod_auth_openidc.so",
                              "libapache2-mod-auth-openidc")):
        if not Path(program).exists():
            pytest.skip(f"{package} is not installed: .ci/packages test")


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True,
                   capture_output=True)


def make_certificates(directory):
    """A CA, and a certificate of it for the edge."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(directory, "req", "-x509", *key, "-keyout", "ca.key", "-out",
            "ca.pem", "-days", "2", "-subj", "/CN=CA of a Postern test",
            "-addext", "keyUsage=critical,keyCertSign")
    openssl(directory, "req", *key, "-keyout", "edge.key", "-out", "edge.csr",
            "-subj", "/CN=localhost")
    (directory / "edge.ext").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
        "extendedKeyUsage=serverAuth\n")
    openssl(directory, "x509", "-req", "-in", "edge.csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
            "edge.ext", "-out", "edge.crt")
    (directory / "edge.pem").write_text(
        (directory / "edge.crt").read_text()
        + (directory / "edge.key").read_text())


class Edge:
    """HAProxy with TLS before a gateway's port."""

    def __init__(self):
        need_packages()
        self.directory = Path(tempfile.mkdtemp(prefix="postern-edge-"))
        self.directory.chmod(0o755)  # Apache's own user reads below it
        make_certificates(self.directory)
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.session = requests.Session()
        # The environment may name another CA, and requests believes it more.
        self.session.trust_env = False
        self.session.verify = str(self.directory / "ca.pem")
        self.children = []

    def spawn(self, *command):
        with open(self.directory / "output.log", "ab") as log:
            child = subprocess.Popen(command, cwd=self.directory, stdout=log,
                                     stderr=log, stdin=subprocess.DEVNULL)
        self.children.append(child)
        return child

    def start(self, gateway_port):
        conf = self.directory / "haproxy.cfg"
        conf.write_text(HAPROXY.format(
            directory=self.directory, edge_port=self.port,
            gateway_port=gateway_port))
        child = self.spawn("/usr/sbin/haproxy", "-db", "-f", str(conf))
        self.wait(child, self.url + "/oauth/v1/keys")

    def wait(self, child, url):
        def answers():
            assert child.poll() is None, self.logs()
            try:
                self.session.get(url, timeout=5)
                return True
            except (requests.RequestException, ssl.SSLError,
                    urllib3.exceptions.HTTPError):
                return False
        until(answers, url, 20 * SLOWNESS)

    def logs(self):
        text = []
        for path in self.directory.glob("*.log"):
            text.append(f"---- {path.name}\n"
                        + path.read_text(errors="replace")[-8000:])
        return "\n".join(text)

    def end(self):
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(STOP_SECS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class ResourceServer:
    """Apache with mod_auth_openidc: one port that asks the gateway about every
    token, one that verifies JWTs against its key set."""

    def __init__(self, edge, secret):
        self.edge = edge
        directory = edge.directory
        www = directory / "www"
        (www / "writers").mkdir(parents=True)
        for place in (www, www / "writers"):
            (place / "index.html").write_text("the resource\n")
        self.ports = {"introspection": free_port(), "keys": free_port()}
        conf = directory / "apache.conf"
        conf.write_text(APACHE.format(
            directory=directory, edge=edge.url, secret=secret,
            by_introspection=self.ports["introspection"],
            by_keys=self.ports["keys"], identity=self.identity(),
            modules="\n".join(f"LoadModule {name}_module"
                              f" {MODULES}/mod_{name}.so"
                              for name in APACHE_MODULES)))
        child = edge.spawn("/usr/sbin/apache2", "-D", "FOREGROUND", "-f",
                           str(conf))
        for port in self.ports.values():
            edge.wait(child, f"http://127.0.0.1:{port}/")

    @staticmethod
    def identity():
        """Apache refuses to serve as root."""
        if os.getuid() != 0:
            return ""
        return "User nobody\nGroup nogroup"

    def get(self, by, token=None, path="/index.html"):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return requests.get(f"http://127.0.0.1:{self.ports[by]}{path}",
                            headers=headers, timeout=20 * SLOWNESS)
