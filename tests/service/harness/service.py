"""A gateway and an engine at work, and a client to call them."""

import json
import shutil
import signal
import tempfile
import uuid
from pathlib import Path

import requests

from harness import configuration, procfs
from harness.configuration import write_credential
from harness.metrics import Metrics
from harness.processes import SLOWNESS, Process, free_port
from harness.realm import SECRET
from harness.wait import until

CALL_SECS = 20 * SLOWNESS
READY_SECS = 10 * SLOWNESS


class Service:
    """Both processes in a directory of their own, short enough for a socket."""

    def __init__(self, realm, gateway_flags=(), engine_flags=(),
                 engines=("one",), public_url=None, in_store=False,
                 in_memory=False):
        """`public_url`: that of something in front of the gateway. `in_store`:
        the store rules, and the realm (or None) is applied over the API.
        `in_memory`: its files are on no disk, where one can do without."""
        memory = "/dev/shm" if in_memory and Path("/dev/shm").is_dir() \
            else None
        self.directory = Path(tempfile.mkdtemp(prefix="postern-", dir=memory))
        self.realm = realm
        self.realm_dir = self.directory / "realm"
        self.data_dir = self.directory / "data"
        self.port = free_port()
        self.admin_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        self.public_url = public_url or self.url
        self.engines_url = f"ipc://{self.directory}/run/engines.sock"
        (self.directory / "run").mkdir(mode=0o750)
        self.in_store = in_store
        if not in_store:
            realm.write(self.realm_dir)
        credential = write_credential(self.directory / "admin.credential")
        self.gateway = self.new_gateway(
            [f"--admin-credential={credential}", *gateway_flags])
        self.engines = {name: self.new_engine(name, engine_flags)
                        for name in engines}
        self.expected_ends = set()

    def new_gateway(self, flags):
        return Process("postern-gateway", [
            f"--listen-public=127.0.0.1:{self.port}",
            f"--listen-admin=127.0.0.1:{self.admin_port}",
            f"--public-url={self.public_url}",
            f"--data-dir={self.data_dir}",
            *([] if self.in_store else [f"--realm={self.realm_dir}"]),
            f"--engines-listen={self.engines_url}",
            "--log-format=json", *flags], self.directory)

    def new_engine(self, name, flags):
        directory = self.directory / f"engine-{name}"
        directory.mkdir()
        return Process("postern-engine", [
            f"--gateways={self.engines_url}", f"--name={name}",
            *(() if any(f.startswith("--slots") for f in flags)
              else ("--slots=4",)),
            "--log-format=json", *flags], directory)

    @property
    def engine(self):
        return next(iter(self.engines.values()))

    # -- life ---------------------------------------------------------------

    def __enter__(self):
        try:
            self.gateway.start()
            for engine in self.engines.values():
                engine.start()
            self.wait_ready()
            if self.in_store and self.realm is not None:
                self.apply()
        except BaseException:
            print(self.logs())
            self.end()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(self.logs())
        problems = self.end()
        if kind is None:
            assert not problems, problems

    def processes(self):
        return [self.gateway, *self.engines.values()]

    def end(self):
        """Stops everything; what was wrong with the way it ended."""
        problems = []
        for process in reversed(self.processes()):
            ran = process.is_running()
            status = process.stop()
            if ran and status != 0:
                problems.append(f"{process.name} ended with {status}")
        for process in self.processes():
            for left in process.leftovers():
                problems.append(f"{process.name} left {left}")
        problems += self.sanitizer_reports()
        shutil.rmtree(self.directory, ignore_errors=True)
        return problems

    def sanitizer_reports(self):
        return [path.read_text(errors="replace")
                for path in self.directory.rglob("sanitizer.*")]

    def logs(self, last_lines=60):
        text = []
        for process in self.processes():
            text.append(f"---- {process.name} {process.flags[:2]}")
            text += process.log_text().splitlines()[-last_lines:]
        return "\n".join(text)

    def assert_unharmed(self):
        """Nobody who should be there has gone, and no sanitizer spoke."""
        for process in self.processes():
            if process not in self.expected_ends:
                assert process.is_running(), f"{process.name} died"
        assert not self.sanitizer_reports(), self.sanitizer_reports()

    def restart(self, process):
        """After kill() or stop(): the same again, and ready."""
        assert not process.is_running()
        process.start()
        self.wait_ready()

    def is_ready(self):
        try:
            answer = requests.get(self.admin_url + "/health/ready",
                                  timeout=CALL_SECS)
        except requests.ConnectionError:
            return False
        return answer.status_code == 200

    def wait_ready(self, secs=READY_SECS):
        """With every engine that runs: one of them makes the gateway ready."""
        def ready():
            assert self.gateway.is_running(), (
                "the gateway ended at its start:\n" + self.gateway.log_text())
            engines = sum(e.is_running() for e in self.engines.values())
            return self.is_ready() and self.count("postern_engines") >= engines
        until(ready, "/health/ready", secs)

    def apply(self):
        """Puts the realm in force over the API."""
        answer = configuration.apply(self, configuration.texts(self.realm))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reload(self, outcome="loaded"):
        """Writes the realm again, SIGHUP, waits until it was judged."""
        before = self.count("postern_realm_loads_total", outcome=outcome)
        self.realm.write(self.realm_dir)
        self.gateway.signal(signal.SIGHUP)
        until(lambda: self.count("postern_realm_loads_total",
                                 outcome=outcome) > before,
              f"the realm to be {outcome}", READY_SECS)

    # -- calls ---------------------------------------------------------------

    def post(self, path, body=None, client="app", **options):
        """JSON with Basic credentials; any option of requests beats that."""
        if client is not None:
            options.setdefault("auth", (client, SECRET))
        if "data" not in options:
            options.setdefault("json", {} if body is None else body)
        options.setdefault("timeout", CALL_SECS)
        return requests.post(self.url + path, **options)

    def init(self, idp, data=None, client="app", **options):
        body = {} if data is None else {"data": as_text(data)}
        return self.post(f"/oauth/custom-registration/{idp}/init", body,
                         client, **options)

    def complete(self, idp, data=None, transaction=None, client="app",
                 members=None, **options):
        body = dict(members or {})
        if data is not None:
            body["data"] = as_text(data)
        if transaction is not None:
            body["transaction_id"] = transaction
        return self.post(f"/oauth/custom-registration/{idp}/complete", body,
                         client, **options)

    def backchannel(self, idp, data=None, client="backend", **options):
        body = {} if data is None else {"data": as_text(data)}
        return self.post(
            f"/oauth/api/v3/custom-registration/{idp}/backchannel", body,
            client, **options)

    def transaction(self, idp="two", client="app"):
        """A fresh transaction_id."""
        answer = self.init(idp, client=client)
        assert answer.status_code == 200, answer.text
        return answer.json()["transaction_id"]

    def cache(self, *orders):
        """Runs orders on the cache IdP's cache; their results."""
        answer = self.complete("cache", list(orders))
        assert answer.status_code == 200, answer.text
        return json.loads(answer.json()["data"])

    # -- what the operator sees ----------------------------------------------

    def metrics(self):
        return Metrics(requests.get(self.admin_url + "/metrics",
                                    timeout=CALL_SECS).text)

    def count(self, name, **labels):
        return self.metrics().sum(name, **labels)

    def executions(self, **labels):
        return self.count("postern_executions_total", **labels)

    def log_of(self, correlation_id):
        """Entries of the gateway's log that carry the correlation id."""
        return [entry for entry in self.gateway.log_entries()
                if correlation_id in entry.values()]

    def failure_of(self, answer):
        """The log entry about the failed execution behind a 500."""
        correlation_id = answer.headers["X-Correlation-Id"]

        def entry():
            return next((e for e in self.log_of(correlation_id)
                         if e.get("code")), None)
        return until(entry, f"the log of {correlation_id}")

    def templates(self):
        """Pids; each leads a session, in which its children stay."""
        return [pid for pid in self.runners() if procfs.leads_a_session(pid)]

    def script_processes(self):
        """Pids of children, waiting or at work."""
        return [pid for pid in self.runners()
                if not procfs.leads_a_session(pid)]

    def runners(self):
        return [pid for engine in self.engines.values()
                for pid in procfs.descendants(engine.pid)]


def as_text(data):
    return data if isinstance(data, str) else json.dumps(data)


def success(user="someone", **members):
    """A result of a complete script."""
    return {"status": 2000, "user": {"id": user}, **members}


def unique(prefix="k"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def assert_error(answer, status, error):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == error, body
    assert body["error_description"]
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.headers["X-Correlation-Id"]
