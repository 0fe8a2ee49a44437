"""The corpus of hostile scripts against the real gateway and engine: each ends
with its code, in its time, costs only its own request, and harms nobody."""

import json
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.corpus import scripts
from harness.processes import SANITIZED, SLOWNESS
from harness.service import assert_error, success
from harness.standard import MIRROR, MIRROR_INIT, standard_realm

CORPUS = scripts("killed", "error", "harmless")

# A sanitizer's runtime needs other limits of memory and stack.
if SANITIZED:
    CORPUS = [s for s in CORPUS
              if "memory-" not in s.path.stem and "stack-" not in s.path.stem
              and "regexp-" not in s.path.stem]

AT_A_TIME = 3

# From the end of a script's time to the end of its process, generously.
KILL_US = 500 * 1000 * SLOWNESS

# A caller also waits for a slot, two starts of a template and the answer.
ANSWER_SECS = 6 * SLOWNESS

WALL_MS = 5000

CONTROL = """
CACHE.store("control-secret", "secret");
function execute(requestPayload) { return JSON.parse(requestPayload); }
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("control", *[s.name for s in CORPUS])
    realm.properties(
        {"id": "shared_value", "value": "own-value"},
        {"id": "control_secret", "value": "secret-of-control",
         "idps": ["control"], "sensitive": True})
    realm.idp("control", CONTROL)
    for script in CORPUS:
        parts = {"complete": MIRROR}
        if script.entry == "init":
            parts["init"] = MIRROR_INIT
        parts[script.entry] = script.source
        realm.idp(script.name, parts.pop("complete"), **parts,
                  script=script.limits)
    return realm


class Outcome:
    """What the caller and the operator saw of one script."""

    def __init__(self):
        self.answers = []
        self.took_secs = []
        self.control = None
        self.ends = []  # log entries of its executions


def call(service, script):
    entry = {"init": service.init, "complete": service.complete,
             "backchannel": service.backchannel}[script.entry]
    return entry(script.name, script.about.get("data"))


def run_one(service, script):
    outcome = Outcome()
    for _ in range(script.times):
        begin = time.monotonic()
        outcome.answers.append(call(service, script))
        outcome.took_secs.append(time.monotonic() - begin)
    outcome.control = service.complete("control", success())
    return outcome


class Run:
    """The whole corpus, once; the tests look at what came of it."""

    def __init__(self, service):
        self.service = service
        pids = [p.pid for p in service.processes()]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            outcomes = pool.map(lambda s: run_one(service, s), CORPUS)
            self.outcomes = dict(zip([s.name for s in CORPUS], outcomes))
        self.same_processes = (
            [p.pid for p in service.processes()] == pids
            and all(p.is_running() for p in service.processes()))
        self.log = service.gateway.log_entries()
        ends = defaultdict(list)
        for entry in self.log:
            if "code" in entry and "correlation_id" in entry:
                ends[entry["correlation_id"]].append(entry)
        for outcome in self.outcomes.values():
            for answer in outcome.answers:
                outcome.ends += ends[answer.headers["X-Correlation-Id"]]


@pytest.fixture(scope="module")
def corpus_run(running_service):
    return Run(running_service)


@pytest.fixture(params=CORPUS, ids=repr)
def script(request):
    return request.param


def codes_of(outcome):
    """The last word on each execution: the gateway's own check comes after
    what the engine said."""
    last = {}
    for entry in outcome.ends:
        last[entry["correlation_id"]] = int(entry["code"])
    return list(last.values())


def assert_failed(script, outcome):
    for answer in outcome.answers:
        if answer.status_code == 200 and script.about.get("also_ok"):
            continue
        assert_error(answer, 500, "internal_server_error")
        assert "Error" not in answer.text and ".js" not in answer.text


def assert_told(script, outcome):
    """What the operator needs to find the mistake."""
    entry = outcome.ends[-1]
    assert entry.get("message"), entry
    assert script.about.get("message", "") in entry["message"]
    if "line" in script.about:
        assert entry["line"] == script.about["line"]
        assert entry["file"] == f"{script.name}/{script.entry}.js"
    assert len(json.dumps(entry)) < 32 * 1024


def assert_succeeded(script, outcome):
    data = [answer.json().get("data") for answer in outcome.answers]
    for answer in outcome.answers:
        assert answer.status_code == script.about.get("status", 200), (
            answer.text, outcome.ends)
        for name in script.about.get("claims_absent", []):
            assert name not in answer.json() or name == "scope"
    if "answer" in script.about:
        wanted = script.about["answer"]
        wanted = wanted if isinstance(wanted, str) else json.dumps(wanted)
        assert data == [wanted] * script.times
    if script.about.get("answer_differs"):
        assert len(set(data)) == script.times


def test_code(corpus_run, script):
    outcome = corpus_run.outcomes[script.name]
    codes = codes_of(outcome)
    allowed = script.codes + ([0] if script.about.get("also_ok") else [])
    assert len(codes) == script.times
    assert set(codes) <= set(allowed), outcome.ends
    if codes[0] == 0 and not script.about.get("also_ok"):
        assert_succeeded(script, outcome)
        return
    assert_failed(script, outcome)
    if codes[0] != 0:
        assert_told(script, outcome)


def test_in_time(corpus_run, script):
    outcome = corpus_run.outcomes[script.name]
    wall_us = script.limits.get("wall_ms", WALL_MS) * 1000
    cpu_us = script.limits.get("cpu_ms", 1000) * 1000
    for entry in outcome.ends:
        # SCRIPT_BAD_RESULT of the gateway's own check has no times.
        assert entry.get("run_us", 0) <= wall_us + KILL_US, entry
        assert entry.get("cpu_us", 0) <= cpu_us + KILL_US, entry
    assert max(outcome.took_secs) < wall_us / 1e6 + ANSWER_SECS


def test_next_request(corpus_run, script):
    control = corpus_run.outcomes[script.name].control
    assert control.status_code == 200, control.text


def test_nobody_came_to_harm(corpus_run, service):
    assert corpus_run.same_processes
    for engine in service.engines.values():
        for entry in engine.log_entries():
            assert "CHECK" not in str(entry) and "sanitizer" not in str(entry)


def test_no_script_left_the_sandbox_or_broke_its_process(corpus_run, service):
    assert corpus_run.same_processes
    assert service.executions(code="sandbox_violation") == 0
    assert service.executions(code="crashed") == 0
    assert service.executions(code="engine_lost") == 0


def test_no_line_of_a_script_is_an_event(corpus_run):
    for script in CORPUS:
        forged = script.about.get("log_absent")
        if forged is not None:
            assert not [e for e in corpus_run.log if e.get("event") == forged]


def test_templates_of_the_dead_are_not_kept(corpus_run, service):
    """Each killed child is reaped: no zombie is left."""
    assert corpus_run.same_processes
    for engine in service.engines.values():
        engine.remember_descendants()
    assert service.complete("control", success()).status_code == 200


def test_corpus_is_as_large_as_promised():
    assert len(scripts("killed", "error", "harmless", "refused")) >= 120
