"""The servers Postern is measured beside: how each is got, started and asked.
What they are is in README.md."""
import base64
import contextlib
import dataclasses
import http.cookiejar
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

from load import Request

HERE = pathlib.Path(__file__).resolve().parent
FORM = "application/x-www-form-urlencoded"
BASIC = "Basic " + base64.b64encode(b"client:secret").decode()
BODY = json.dumps({
    "transaction_id": "123123",
    "data": json.dumps({"custom_json_key": "custom json data"}),
    "scope": ["openid", "read", "write"]})
GLEWLWYD_PACKAGES = (
    "glewlwyd", "glewlwyd-common", "libconfig9", "libmariadb3",
    "liborcania2.3", "libyder2.0", "libhoel1.4", "librhonabwy1.1",
    "libmicrohttpd12", "libulfius2.7", "libiddawc1.1", "liboath0")


@dataclasses.dataclass
class Peer:
    process: subprocess.Popen
    request: Request

    def pids(self):
        return {"peer": [self.process.pid]}


@dataclasses.dataclass(frozen=True)
class Goal:
    flow: str      # of flows.FLOWS
    peer: str      # of STARTERS
    title: str
    least: float   # the ratio of medians that is wanted


GOALS = (
    Goal("complete-image", "node-ivm-isolate",
         "Node full, new isolate a request", 12),
    Goal("complete-image", "node-ivm-context",
         "Node full, new context a request", 8),
    Goal("complete-image", "node-ivm-reuse",
         "Node full, reused leaking context", 2.8),
    Goal("complete-image", "oidc-provider",
         "oidc-provider, custom grant ES256, in memory, no script", 2.8),
    Goal("complete-image", "glewlwyd",
         "Glewlwyd client_credentials, WAL", 9),
    Goal("complete-strict", "node-ivm-isolate",
         "Node full, new isolate a request", 4.5),
    Goal("complete-strict", "node-none", "Node full, no sandbox at all", 0.9),
    Goal("complete-rs256", "node-ivm-reuse-rs256",
         "Node full, reused leaking context, RS256", 1.4),
    Goal("backchannel", "node-script-ivm-reuse",
         "Node script only, reused leaking context", 0.8),
)


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def wait_port(port, process):
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}")


def spawn(command, environment, log):
    with open(log, "a", encoding="utf-8") as out:
        return subprocess.Popen(
            command, env=dict(os.environ, **environment), stdout=out,
            stderr=out, stdin=subprocess.DEVNULL, start_new_session=True)


def npm_install(name, place):
    """The peer's folder with its modules, below `place`."""
    root = place / name
    root.mkdir(parents=True, exist_ok=True)
    for path in (HERE / name).iterdir():
        shutil.copy(path, root)
    if not (root / "node_modules").is_dir():
        subprocess.run(
            ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"],
            cwd=root, check=True, stdout=subprocess.DEVNULL)
    return root


def private_key(root, algorithm):
    path = root / f"{algorithm}.pem"
    kind = {"ES256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "RS256": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}[algorithm]
    if not path.exists():
        subprocess.run(
            ["openssl", "genpkey", "-out", path, "-algorithm", *kind],
            check=True, stderr=subprocess.DEVNULL)
    return path


def node(engine, full=True, algorithm="ES256"):
    def start(place):
        root = npm_install("node", place)
        port = free_port()
        for path in root.glob("tokens.db*"):
            path.unlink()
        environment = {
            "PORT": str(port), "WORKERS": "2", "ENGINE": engine,
            "NODE_ENV": "production", "SYNC": "FULL", "ALG": algorithm,
            "GROUP": "1", "DB": str(root / "tokens.db"),
            "KEY": str(private_key(root, algorithm))}
        if full:
            environment["FULL"] = "1"
        process = spawn(["node", root / "server.mjs"], environment,
                        root / "log")
        wait_port(port, process)
        return Peer(process, Request(
            url=f"http://127.0.0.1:{port}", path="/complete", body=BODY,
            auth=BASIC,
            expect='"id_token":"ey' if full else '"id":"userId_'))
    return start


def oidc_provider(place):
    root = npm_install("oidc-provider", place)
    port = free_port()
    process = spawn(
        ["node", root / "server.mjs"],
        {"PORT": str(port), "WORKERS": "2", "ALG": "ES256",
         "NODE_ENV": "production"}, root / "log")
    wait_port(port, process)
    return Peer(process, Request(
        url=f"http://127.0.0.1:{port}", path="/token", ctype=FORM, auth=BASIC,
        body="grant_type=urn:bench:custom-registration&scope=openid+read",
        expect='"id_token":"ey'))


def unpack_debian(names, root):
    debs = root / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not list(debs.glob(f"{name}_*.deb")):
            subprocess.run(["apt-get", "download", "-q", name], cwd=debs,
                           check=True, stdout=subprocess.DEVNULL)
        package = sorted(debs.glob(f"{name}_*.deb"))[-1]
        subprocess.run(["dpkg", "-x", package, root], check=True)


class GlewlwydAdmin:
    """Its admin API: what a first start leaves to do."""

    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api"
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def post(self, path, body):
        request = urllib.request.Request(
            self.base + path, json.dumps(body).encode(),
            {"Content-Type": "application/json"})
        self.opener.open(request, timeout=10).close()


def set_up_glewlwyd(port, root):
    key = private_key(root, "ES256")
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"],
                            check=True, capture_output=True, text=True)
    admin = GlewlwydAdmin(port)
    admin.post("/auth", {"username": "admin", "password": "password"})
    admin.post("/scope/", {
        "name": "read", "display_name": "read", "description": "read",
        "password_required": True, "scheme": {}})
    admin.post("/mod/plugin/", {
        "module": "oidc", "name": "oidc", "display_name": "oidc",
        "order_rank": 0, "readonly": False, "enabled": True,
        "parameters": {
            "iss": f"http://127.0.0.1:{port}/api/oidc",
            "jwt-type": "ecdsa", "jwt-key-size": "256",
            "key": key.read_text(), "cert": public.stdout,
            "access-token-duration": 3600, "refresh-token-duration": 86400,
            "code-duration": 600, "refresh-token-rolling": False,
            "allow-non-oidc": True, "auth-type-client-enabled": True,
            "auth-type-password-enabled": True,
            "auth-type-refresh-enabled": True,
            "auth-type-code-enabled": True,
            "auth-type-token-enabled": False,
            "auth-type-id-token-enabled": False,
            "auth-type-device-enabled": False,
            "subject-type": "public", "allowed-scope": ["openid"]}})
    admin.post("/client/", {
        "client_id": "client", "name": "client", "password": "secret",
        "client_secret": "secret", "confidential": True, "enabled": True,
        "scope": ["read"],
        "authorization_type": ["client_credentials", "password",
                               "refresh_token"],
        "token_endpoint_auth_method": ["client_secret_basic"]})


def glewlwyd(place):
    root = place / "glewlwyd"
    unpack_debian(GLEWLWYD_PACKAGES, root)
    port = free_port()
    for path in root.glob("glewlwyd.db*"):
        path.unlink()
    database = root / "glewlwyd.db"
    with open(root / "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3",
              encoding="utf-8") as schema:
        subprocess.run(["sqlite3", database], stdin=schema, check=True)
    subprocess.run(["sqlite3", database, "PRAGMA journal_mode=wal"],
                   check=True, stdout=subprocess.DEVNULL)
    text = (HERE / "glewlwyd/glewlwyd.conf.in").read_text()
    (root / "glewlwyd.conf").write_text(
        text.replace("@ROOT@", str(root)).replace("@PORT@", str(port)))
    libraries = next((root / "usr/lib").glob("*-linux-gnu"))
    process = spawn([root / "usr/bin/glewlwyd",
                     f"--config-file={root}/glewlwyd.conf"],
                    {"LD_LIBRARY_PATH": str(libraries)}, root / "log")
    wait_port(port, process)
    set_up_glewlwyd(port, root)
    return Peer(process, Request(
        url=f"http://127.0.0.1:{port}", path="/api/oidc/token", ctype=FORM,
        auth=BASIC, body="grant_type=client_credentials&scope=read",
        expect='"access_token":"ey'))


STARTERS = {
    "node-ivm-isolate": node("ivm-isolate"),
    "node-ivm-context": node("ivm-context"),
    "node-ivm-reuse": node("ivm-reuse"),
    "node-none": node("none"),
    "node-ivm-reuse-rs256": node("ivm-reuse", algorithm="RS256"),
    "node-script-ivm-reuse": node("ivm-reuse", full=False),
    "oidc-provider": oidc_provider,
    "glewlwyd": glewlwyd,
}


@contextlib.contextmanager
def start(name, place):
    """The peer, serving until the block ends; what it needs is installed
    below `place` if it is not there yet."""
    peer = STARTERS[name](place)
    try:
        yield peer
    finally:
        # A session of its own: its workers go with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(peer.process.pid, signal.SIGTERM)
        try:
            peer.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(peer.process.pid, signal.SIGKILL)
            peer.process.wait()
