"""postern run, postern test and postern-engine local: scripts on their
author's machine, in the engine, runner and sandbox of production."""

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness import procfs
from harness.corpus import scripts
from harness.processes import BIN, ROOT, SLOWNESS, clean_environment, run
from harness.wait import until

DEMO = ROOT / "docs" / "demo-realm"

# One of each way to be killed, and what reaches for more than a script has.
HOSTILE = ("loop", "loop-sort", "loop-top-level", "loop-deep-tojson",
           "memory-string", "stack-recursion", "constructor-escape",
           "api-constructor-escape", "cache-value-long", "plain")


def outcomes(*jobs, flags=()):
    """What `postern-engine local` makes of jobs, by id."""
    lines = "".join(json.dumps(job) + "\n" for job in jobs)
    done = run("postern-engine", "local", "--config=/dev/null",
               "--log-level=error", *flags, stdin=lines, secs=60)
    assert done.returncode == 0, done.stderr
    return {outcome["id"]: outcome
            for outcome in map(json.loads, done.stdout.splitlines())}


def outcome(source, **members):
    return outcomes({"id": 1, "source": source, **members})[1]


def answer(source, **members):
    """The payload of a script that denies, which needs no user."""
    got = outcome("function execute(p, u, r, c) { return {status: 4000, "
                  "responsePayload: [" + source + "]}; }", **members)
    assert got["code"] == 0, got
    return json.loads(got["payload"])[0]


@pytest.fixture
def realm(tmp_path):
    """A realm with one script, written by realm(script, test, idp_yaml)."""
    folder = tmp_path / "idps" / "one"
    folder.mkdir(parents=True)
    (tmp_path / "realm.yaml").write_text("script: {wall_ms: 2000}\n")

    def write(script, test=None, idp="type: one_step\n"):
        (folder / "complete.js").write_text(script)
        (folder / "idp.yaml").write_text(idp)
        if test is not None:
            (folder / "complete.test.yaml").write_text(test)
        return tmp_path

    return write


# ---- postern-engine local ---------------------------------------------------


def test_arguments_reach_the_script():
    assert answer("[p, u, r, c]", data="text", registration_data={"a": 1},
                  custom_params={"n": ["v"]}) == [
        "text", None, {"a": 1}, {"n": ["v"]}]


def test_a_clock_and_a_seed_make_a_run_the_same_again():
    source = ("[Date.now(), new Date().toISOString(), Math.random(), "
              "CRYPTO.randomUUID()]")
    fixed = {"clock_ms": 1767225600000, "seed": "01" * 32}
    first = answer(source, **fixed)
    assert first[:2] == [1767225600000, "2026-01-01T00:00:00.000Z"]
    assert answer(source, **fixed) == first
    assert answer(source, **{**fixed, "seed": "02" * 32})[2:] != first[2:]
    assert answer(source)[2:] != first[2:]


def test_cache_is_the_jobs_own_and_told_afterwards():
    got = outcome("""function execute() {
        CACHE.store("s", {a: 1}, 60);
        return {status: 4000, responsePayload: [CACHE.take("t"),
          CACHE.take("t"), CACHE.increment("n"), CACHE.fetch("s"),
          CACHE["delete"]("x")]};
      }""", cache={"t": {"value": "v"}, "n": {"value": "4", "ttl_secs": 9}},
                  clock_ms=1000)
    assert json.loads(got["payload"]) == ["v", None, 5, '{"a":1}', False]
    assert got["cache"] == {"n": {"value": "5", "ttl_secs": 9},
                            "s": {"value": '{"a":1}', "ttl_secs": 60}}
    assert [call["call"] for call in got["calls"]] == [
        "cache_store", "cache_take", "cache_take", "cache_increment",
        "cache_fetch", "cache_delete"]


def test_cache_keeps_its_limits():
    source = """function execute() { CACHE.store("b", "1"); }"""
    got = outcome(source, cache={"a": {"value": "1"}},
                  limits={"cache_entries": 1})
    assert got["name"] == "threw"
    assert "as many entries as this identity" in got["message"]
    got = outcome("function execute() { CACHE.increment('a'); }",
                  cache={"a": {"value": "x"}})
    assert "needs a value that is a whole number" in got["message"]


def test_http_is_answered_by_fakes_and_by_nothing_else():
    fakes = [{"method": "POST", "url": "https://api.example/*", "status": 201,
              "headers": {"X-One": "1"}, "body": {"ok": True}},
             {"url": "https://slow.example/", "error": "timeout"}]
    source = """(function () {
        var r = HTTP.post("https://api.example/v1?q=1", {a: 1});
        var codes = ["https://slow.example/", "https://api.example/v1",
          "https://x.example/" + new Array(500).join("\u00e9")].map(
          function (url) {
            try { HTTP.get(url); } catch (e) { return [e.name, e.code]; }
          });
        return [r.status, r.headers["x-one"], r.json(), codes];
      })()"""
    assert answer(source, http_fakes=fakes) == [
        201, "1", {"ok": True},
        [["HttpError", "timeout"], ["HttpError", "no_fake"],
         ["HttpError", "invalid"]]]


def test_a_fake_is_judged_like_the_real_thing():
    """What production would refuse is refused, though a fake is there."""
    source = """(function () {
        try { return HTTP.get(p).status; } catch (e) { return e.code; } })()"""
    fakes = [{"url": "*", "status": 200}]
    for allow, url, expected in (
            (["api.example"], "https://api.example/", 200),
            (["api.example"], "https://other.example/", "refused"),
            ([], "https://api.example/", "refused"),
            (["api.example"], "ftp://api.example/", "invalid")):
        assert answer(source, data=url, http_fakes=fakes,
                      http_allow=allow) == expected, url


def test_real_http_goes_only_where_it_may():
    """Loopback is a special address: listed by name is not enough."""
    source = """(function () {
        try { HTTP.get("http://localhost:9/"); } catch (e) { return e.code; }
      })()"""
    assert answer(source, http="real") == "refused"
    assert answer(source, http="real", http_allow=["localhost:9"]) == "refused"
    assert answer(source, http="real", http_allow=[
        "localhost:9", "127.0.0.1:9", "[::1]:9"]) == "connect"


def test_a_large_body_comes_whole_and_within_its_limit():
    source = """(function () {
        try { return HTTP.get("https://a.example/").body.length; }
        catch (e) { return e.code; } })()"""
    fake = [{"url": "*", "body": "x" * 900000}]
    assert answer(source, http_fakes=fake) == 900000
    assert answer(source, http_fakes=fake,
                  limits={"http_body_kib": 100}) == "too_large"


def test_keyed_cryptography_is_done_with_the_jobs_key_and_clock():
    source = """(function () {
        var token = CRYPTO.jwtSign({exp: 1000}, {key: "k", alg: "HS256"});
        return [token.split(".").length,
          CRYPTO.jwtVerify(token, {key: "k", algorithms: ["HS256"]}).valid];
      })()"""
    key = {"keys": {"k": "0123456789abcdef0123456789abcdef"}}
    assert answer(source, clock_ms=999000, **key) == [3, True]
    assert answer(source, **key) == [3, False]
    got = outcome('function execute() { return PROPERTIES.get("k"); }', **key)
    assert got["code"] == 3001


def test_answers_of_a_recorded_run_are_given_in_order():
    source = ('[CACHE.fetch("a"), HTTP.get("https://a.example/").status, '
              'Date.now(), Date.now()]')
    fakes = [{"url": "*", "status": 204, "headers": {"x": "y"}}]
    recorded = outcome(
        "function execute() { return {status: 4000, responsePayload: "
        + source + "}; }", cache={"a": {"value": "1"}}, http_fakes=fakes,
        clock=[[5, 1], [7, 1]])
    again = {"calls": recorded["calls"], "clock": [5, 7]}
    assert answer(source, **again) == ["1", 204, 5, 7]
    for other, sentence in (
            ('[CACHE.fetch("b")]', "has other arguments"),
            ('[CACHE.take("a")]', "call 1 is cache_take"),
            (f"{source}.concat(CACHE.fetch('c'))", "did not make"),
            ('[CACHE.fetch("a")]', "only 1 of the 2")):
        got = outcome("function execute() { return {status: 4000, "
                      "responsePayload: " + other + "}; }", **again)
        assert sentence in got["diverged"]


def test_the_gateways_rules_for_results_hold():
    for source, sentence in (
            ("{status: 2000}", "user.id must be a non-empty string"),
            ("{status: 2000, user: {id: 'x', amr: 'pwd'}}", "user.amr"),
            ("{status: 3000}", "status")):
        got = outcome("function execute() { return " + source + "; }")
        assert got["name"] == "bad_result" and sentence in got["message"], got
    assert outcome("function execute() { return {status: 2000}; }",
                   script="backchannel")["code"] == 0


def test_sensitive_values_are_masked_in_the_log():
    got = outcome("""function execute() {
        LOG.info("is {} and {}", PROPERTIES.get("s"), PROPERTIES.get("o"));
        return {status: 4000}; }""", properties={"s": "hide-me", "o": "plain"},
                  sensitive=["s"])
    assert got["log"] == [{"level": "info", "text": "is *** and plain"}]


def test_a_wrong_job_is_refused_and_the_next_one_runs():
    good = {"id": "good", "source": "function execute() {return {status:4000}}"}
    lines = ["nonsense", "[1]", json.dumps({"id": 1, "source": 5}),
             json.dumps({**good, "id": 2, "limits": {"wall_ms": 1}}),
             json.dumps({**good, "id": 3, "seed": "12"}),
             json.dumps({**good, "id": 4, "data": "x" * 70000}),
             json.dumps(good)]
    done = run("postern-engine", "local", "--config=/dev/null",
               "--log-level=error", stdin="\n".join(lines))
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert [o["error"] for o in got if "error" in o] == [
        "the line is not JSON", "expects an object",
        "source: expects the script's text",
        "limits.wall_ms: expects a number from 10 to 60000",
        "seed: expects 64 hexadecimal digits",
        "data: 70000 bytes are more than the limit data_kib"]
    assert [o["id"] for o in got if "code" in o] == ["good"]


def test_hostile_scripts_are_as_sandboxed_as_in_production():
    chosen = [s for s in scripts("killed", "error", "harmless")
              if s.path.stem in HOSTILE]
    assert len(chosen) >= 6
    jobs = [{"id": s.name, "source": s.source, "script": s.entry,
             "data": (lambda d: d if d is None or isinstance(d, str)
                      else json.dumps(d))(s.about.get("data")),
             "limits": s.limits} for s in chosen]
    got = outcomes(*jobs, flags=("--slots=4",))
    for script in chosen:
        assert got[script.name]["code"] in script.codes, (
            script, got[script.name])


# ---- postern run --------------------------------------------------------------


def test_run_shows_what_came_of_it():
    done = run("postern", "run", str(DEMO / "idps/demo-two-step/init.js"))
    assert done.returncode == 0, done.stderr
    for part in ("status 2000", "challengeId", "cache_store",
                 "answer with the challenge backwards", "  info  challenge",
                 "CPU", "peak heap", "1 host calls"):
        assert part in done.stdout


def test_run_takes_the_realms_properties_and_limits(realm):
    file = DEMO / "idps/demo-one-step/complete.js"
    data = json.dumps({"username": "dana", "password": "demo-password"})
    assert run("postern", "run", str(file), "--data", data).returncode == 0
    other = run("postern", "run", str(file), "--data", data, "--json",
                "--property", "demo_password=other")
    assert other.returncode == 9
    assert json.loads(other.stdout)["status"] == 4002
    top = realm("function execute() { while (true) {} }",
                idp="type: one_step\nscript: {wall_ms: 20000, cpu_ms: 100}\n")
    done = run("postern", "run", str(top / "idps/one/complete.js"))
    assert done.returncode == 1
    assert "failed: timeout (3010)" in done.stdout
    assert "the script used up its CPU limit" in done.stdout


def test_run_names_file_line_and_stack_of_what_was_thrown(tmp_path):
    file = tmp_path / "broken.js"
    file.write_text("function execute() {\n  null.x;\n}\n")
    done = run("postern", "run", str(file), "--data", f"@{file}")
    assert done.returncode == 1
    assert "failed: threw (3001)" in done.stdout
    assert "broken.js:2" in done.stdout


def test_run_refuses_what_it_cannot_use(tmp_path):
    file = tmp_path / "complete.js"
    file.write_text("function execute() { return {status: 4000}; }")
    for flags, code in ((["--property", "x"], 3), (["--allow", "a"], 3),
                        (["--registration-data", "{"], 3),
                        (["--data", "@/nowhere"], 3), (["--script", "x"], 3)):
        assert run("postern", "run", str(file), *flags).returncode == code
    assert run("postern", "run", str(tmp_path / "none.js")).returncode == 1


def test_a_killed_postern_leaves_nothing_behind(realm):
    """The engine sees that nobody reads outcomes, and its runners die with
    it, though the script has a minute left."""
    top = realm("function execute() { while (true) {} }",
                idp="type: one_step\nscript: {wall_ms: 60000, cpu_ms: 60000}\n")
    child = subprocess.Popen(
        [str(BIN / "postern"), "run", str(top / "idps/one/complete.js")],
        stdout=subprocess.DEVNULL, env=clean_environment(str(top)))
    try:
        until(lambda: sum(procfs.executable(pid) == "postern-runner"
                          for pid in procfs.descendants(child.pid)) >= 2,
              "a script that runs", 20 * SLOWNESS)
        left = [(pid, procfs.started_at(pid))
                for pid in procfs.descendants(child.pid)]
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    until(lambda: not any(procfs.is_alive(pid)
                          and procfs.started_at(pid) == started
                          for pid, started in left),
          "engine and runners to end", 20 * SLOWNESS)


# ---- postern test -------------------------------------------------------------

ECHO = """function execute(p) {
  LOG.info("got {}", p);
  CACHE.store("last", p);
  return {status: 4000, responsePayload: {got: p, list: [1, 2]}};
}
"""

PASSING = """
cases:
  - name: echoes
    payload: hello
    expect:
      status: 4xxx
      payload: {got: hello, list: [1, 2]}
      cache: {last: hello, other: null}
      calls: [cache_store]
      log: [got hello]
"""

FAILING = PASSING.replace("got: hello", "got: bye").replace(
    "[1, 2]}", "[1, 3]}") + """
  - name: the second & <last>
    payload: x
    expect: {status: 2000, user: {id: x}}
"""


def test_the_demo_realms_own_tests_pass():
    done = run("postern", "test", str(DEMO), secs=60)
    assert done.returncode == 0, done.stdout
    assert "13 passed, 0 failed" in done.stdout


def test_a_realm_with_tests_is_still_a_realm():
    done = run("postern-gateway", "--check", "--realm", str(DEMO),
               "--data-dir=/nonexistent")
    assert ".test.yaml" not in done.stdout + done.stderr


def test_a_failure_shows_what_differs(realm):
    done = run("postern", "test", str(realm(ECHO, FAILING)))
    assert done.returncode == 1
    text = "\n".join(line.strip() for line in done.stdout.splitlines())
    assert 'payload.got\n- "bye"\n+ "hello"' in text
    assert "payload.list[1]\n- 3\n+ 2" in text
    assert "status\n- 2000\n+ 4000" in text
    assert 'user\n- {"id": "x"}\n+ (nothing)' in text
    assert "0 passed, 2 failed" in text


def test_tap_and_junit_can_be_read_by_programs(realm, tmp_path):
    report = tmp_path / "report.xml"
    done = run("postern", "test", str(realm(ECHO, FAILING)), "--tap",
               "--junit", str(report))
    lines = done.stdout.splitlines()
    assert lines[:2] == ["TAP version 13", "1..2"]
    assert [line.split(" - ")[0] for line in lines
            if not line.startswith("#")][2:] == ["not ok 1", "not ok 2"]
    root = ElementTree.parse(report).getroot()
    assert root.attrib == {"tests": "2", "failures": "2"}
    names = [case.attrib["name"] for case in root.iter("testcase")]
    assert names == ["echoes", "the second & <last>"]
    assert "payload.got" in next(root.iter("failure")).text


def test_a_filter_chooses_cases_by_name(realm):
    top = realm(ECHO, FAILING)
    done = run("postern", "test", str(top), "--filter", "second")
    assert "0 passed, 1 failed" in done.stdout
    done = run("postern", "test", str(top), "--filter", "none such")
    assert done.returncode == 1 and "no case" in done.stderr


def test_mistakes_in_a_test_file_are_named_with_their_line(realm):
    done = run("postern", "test", str(realm(ECHO, """
cases:
  - name: one
    paylaod: x
    expect:
      stauts: 2000
      payload: {$match: "("}
  - payload: y
    clock: yesterday
""")))
    assert done.returncode == 1
    for place in (":4: paylaod: no such key", ":6: stauts: no such key",
                  ":7: $match: expects a POSIX", "a case expects a name",
                  ":9: clock: expects a time"):
        assert place in done.stdout, done.stdout


def test_a_script_that_fails_can_be_what_is_expected(realm):
    done = run("postern", "test", str(realm(
        'function execute(p) { throw new Error("no " + p); }', """
cases:
  - name: by name
    payload: luck
    expect: {error: threw}
  - name: with more
    payload: luck
    expect: {error: {message: {$match: "no luck$"}, line: 1}}
  - name: unexpected
    payload: luck
    expect: {status: 2000}
""")))
    assert "2 passed, 1 failed" in done.stdout
    assert "the execution failed: threw (3001)" in done.stdout


def test_watching_tests_again_after_a_change(realm):
    top = realm(ECHO, PASSING)
    output = top / "output"
    with output.open("w") as out:
        child = subprocess.Popen(
            [str(BIN / "postern"), "test", "--watch", str(top / "idps")],
            stdout=out, stderr=subprocess.STDOUT,
            env=clean_environment(str(top)))
    try:
        until(lambda: output.read_text().count("waiting for a change") == 1,
              "the first run", 20 * SLOWNESS)
        assert "1 passed, 0 failed" in output.read_text()
        realm(ECHO, FAILING)
        until(lambda: "0 passed, 2 failed" in output.read_text(),
              "the run after the change", 20 * SLOWNESS)
    finally:
        child.send_signal(signal.SIGINT)
        assert child.wait(20 * SLOWNESS) == -signal.SIGINT
