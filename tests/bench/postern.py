"""Postern under measurement: a realm of its own on fresh data, one gateway and
one or more engines, from the release build."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BIN = REPOSITORY / "build/release/bin"
SECRET = "only-for-measuring"

# What a registration script of an ordinary size does: looks at the payload,
# names a user, gives attributes.
COMPLETE = """
function execute(requestPayload) {
	var userId = "userId_" + Date.now();
	return {
		status: 2000,
		user: {
			id: userId,
			amr: ["mfa", "pwd"],
			firstName: "John",
			lastName: "Doe",
			email: "john.doe@example.com"
		}
	};
}
"""
INIT = """
function execute(requestPayload) {
	return {status: 2000, responsePayload: "challenge",
		registrationData: {asked: true}};
}
"""
BACKCHANNEL = """
function execute(requestPayload) {
	return {status: 2000, responsePayload: {seen: true}};
}
"""
CACHE = COMPLETE.replace("\tvar userId", """\tCACHE.store("k", requestPayload);
	if (CACHE.fetch("k") === null) throw new Error("lost");
	var userId""")


def library(kilobytes):
    """Helper functions of that many kB, all of them reachable."""
    text = []
    size = 0
    while size < kilobytes * 1000:
        name = f"helper_{len(text)}"
        text.append(f"""
function {name}(list) {{
	var seen = {{}}, kept = [];
	for (var i = 0; i < list.length; i++) {{
		if (!seen.hasOwnProperty(list[i].name + "{name}")) {{
			seen[list[i].name + "{name}"] = i;
			kept.push({{name: list[i].name, place: i}});
		}}
	}}
	return kept.length > {len(text)} ? kept : list;
}}
""")
        size += len(text[-1])
    return "".join(text)


def write_realm(folder, idps=()):
    """The realm; `idps` are further identity providers to make, by name."""
    def idp(name, kind, processes, scripts):
        place = folder / "idps" / name
        place.mkdir(parents=True)
        (place / "idp.yaml").write_text(
            f"type: {kind}\nscript: {{executions_per_process: {processes}}}\n"
            "record: {mode: off}\n")
        for script, text in scripts.items():
            (place / f"{script}.js").write_text(text)
        return name

    names = [
        idp("strict", "one_step", 1, {"complete": COMPLETE}),
        idp("image", "one_step", 1000,
            {"complete": COMPLETE, "backchannel": BACKCHANNEL}),
        idp("library", "one_step", 1000,
            {"complete": library(100) + COMPLETE}),
        idp("cache", "one_step", 1000, {"complete": CACHE}),
        idp("pair", "two_step", 1000, {"init": INIT, "complete": COMPLETE}),
    ]
    for name in idps:
        names.append(idp(name, "one_step", 1000,
                         {"complete": COMPLETE + f"// {name}\n"}))
    (folder / "realm.yaml").write_text(
        "attempts: {per_source_4xx: 1000000}\n"
        "script: {cache_entries: 10000000}\n")
    (folder / "scopes.yaml").write_text(
        "- {id: read}\n- {id: write}\n- {id: openid}\n")
    (folder / "clients").mkdir()
    for algorithm in ("ES256", "RS256"):
        (folder / "clients" / f"{algorithm}.yaml").write_text(json.dumps({
            "client_id": algorithm,
            "client_secret": {"plain": SECRET},
            "idps": names,
            "default_scopes": ["read"],
            "additional_scopes": ["write", "openid"],
            "id_token": {"signing_alg": algorithm}}))
    (folder / "api-clients").mkdir()
    (folder / "api-clients" / "backend.yaml").write_text(json.dumps({
        "client_id": "backend",
        "client_secret": {"plain": SECRET},
        "scopes": ["user_registration", "token_introspection"]}))
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


class Postern:
    """`with Postern(folder) as postern:` serves until the block ends."""

    def __init__(self, folder, engines=1, idps=()):
        self.folder = pathlib.Path(folder)
        self.engine_count = engines
        self.idps = idps
        self.processes = []

    def __enter__(self):
        realm = self.folder / "realm"
        realm.mkdir(parents=True)
        write_realm(realm, self.idps)
        self.port, self.admin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        link = f"ipc://{self.folder}/engines.sock"
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        try:
            self.start("gateway", "--data-dir", data, "--realm", realm,
                       "--listen-public", f"127.0.0.1:{self.port}",
                       "--listen-admin", f"127.0.0.1:{self.admin_port}",
                       "--engines-listen", link, "--threads", "600",
                       "--queue-max", "1000")
            for number in range(self.engine_count):
                self.start("engine", "--gateways", link,
                           "--name", f"bench-{number}")
            self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, name, *arguments):
        log = open(self.folder / f"{name}.log", "a", encoding="utf-8")
        self.processes.append(subprocess.Popen(
            [BIN / f"postern-{name}", "--log-level", "warn",
             *map(str, arguments)], stdout=log, stderr=log,
            stdin=subprocess.DEVNULL))

    def wait_ready(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                text = self.admin("/health/ready")
                if json.loads(text)["engines"] == self.engine_count:
                    return
            except (OSError, ValueError):
                pass
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.05)
        raise RuntimeError("not ready:\n" + "".join(
            path.read_text()[-2000:] for path in self.folder.glob("*.log")))

    def admin(self, path):
        with urllib.request.urlopen(
                f"http://127.0.0.1:{self.admin_port}{path}",
                timeout=5) as answer:
            return answer.read().decode()

    def metric(self, name):
        """Sum of a metric's lines, whatever their labels."""
        total = 0.0
        for line in self.admin("/metrics").splitlines():
            if line.startswith(name) and line[len(name)] in " {":
                total += float(line.rsplit(" ", 1)[1])
        return total

    def pids(self):
        return {"gateway": [self.processes[0].pid],
                "engine": [process.pid for process in self.processes[1:]]}

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def build():
    """The release build of this checkout, as it is now."""
    subprocess.run(["cmake", "--preset", "release"], cwd=REPOSITORY,
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["cmake", "--build", "--preset", "release", "--target",
         "postern-gateway", "postern-engine", "postern-runner", "--",
         "-j", str(os.cpu_count())], cwd=REPOSITORY, check=True,
        stdout=subprocess.DEVNULL)
