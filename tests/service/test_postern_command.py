"""The `postern` command itself, against a gateway that answers as told: help,
exit statuses, credentials, printing, and answers that mean harm."""

import json
import os
import pty
import re
import signal
import stat
import subprocess
import threading

import pytest

from harness.command import (CONFLICT, DENIED, FAILED, INVALID, NOT_FOUND, OK,
                             RUN_SECS, SECRET, UNREACHABLE, USAGE, Command)
from harness.fake_gateway import FakeGateway
from harness.partner import make_certificates, tls_context
from harness.processes import BIN, ROOT, free_port

CUT_SHORT = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
             b"Content-Length: 100\r\n\r\n{")
ESCAPE = "\x1b[31mred\x1b]0;title\x07 \u202e \u009b2J"


@pytest.fixture
def fake():
    gateway = FakeGateway()
    yield gateway
    gateway.close()


@pytest.fixture
def postern(tmp_path, fake):
    return Command(tmp_path, fake.url)


def commands():
    """Words of every command, as the overview lists them."""
    done = subprocess.run([str(BIN / "postern"), "--help"], check=True,
                          capture_output=True, text=True)
    return [m[1].strip() for m in
            re.finditer(r"^  ([a-z-]+(?: [a-z]+)?) {2,}\S", done.stdout, re.M)]


# -- what the table makes ----------------------------------------------------

def test_every_command_has_help(postern):
    listed = commands()
    assert {"login", "plan", "apply", "export", "release publish",
            "property set", "status", "logs"} <= set(listed)
    for words in listed:
        done = postern(*words.split(), "--help")
        assert done.returncode == OK
        assert done.stdout.startswith(f"Usage: postern {words}")
        assert postern("help", *words.split()).stdout == done.stdout


def test_the_exit_statuses_are_listed_in_help_and_manual(postern):
    text = postern("--help").stdout
    manual = manual_page().read_text()
    for number in (*range(9), 130):
        assert re.search(rf"^ +{number}  \S", text, re.M)
        assert f"\n.B {number}\n" in manual


def manual_page():
    return BIN.parent / "share" / "man" / "man1" / "postern.1"


def test_the_manual_has_every_command_and_no_mistake():
    text = manual_page().read_text().replace("\\-", "-")
    for words in commands():
        assert f"\\fBpostern {words}\\fR" in text
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
         str(manual_page())], capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
    assert done.returncode == 0
    assert done.stderr == ""


def complete(postern, *words):
    """What bash offers for the last word."""
    array = " ".join(f"'{word}'" for word in words)
    script = (f"source <({BIN}/postern completion bash)\n"
              f"COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}\n"
              "_postern; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "-c", script], capture_output=True,
                          text=True, check=True, cwd=postern.directory)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_values(postern):
    (postern.directory / "realm-dir").mkdir()
    assert complete(postern, "postern", "rel") == ["release"]
    assert {"list", "publish", "rollback"} <= set(
        complete(postern, "postern", "release", ""))
    assert complete(postern, "postern", "release", "pu") == ["publish"]
    assert complete(postern, "postern", "plan", "realm") == ["realm-dir"]
    assert complete(postern, "postern", "apply", "x", "--dry") == ["--dry-run"]
    assert complete(postern, "postern", "plan", "--color", "=", "al") == [
        "always"]
    assert complete(postern, "postern", "completion", "b") == ["bash"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_every_command(postern, shell):
    text = postern("completion", shell).stdout
    for words in commands():
        assert words.split()[-1] in text
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("line", [
    "", "nonsense", "plan", "plan a b", "plan a --nonsense", "release",
    "release nonsense", "apply x --why", "status --timeout=0",
    "release shadow x --percent=101", "completion tcsh", "help nonsense",
    "release shadow x --percent=1 --stop", "executions list --max=none"])
def test_a_wrong_line_is_3_and_asks_no_gateway(postern, fake, line):
    done = postern(*line.split())
    assert done.returncode == USAGE
    assert done.stderr.startswith("postern: ")
    assert done.stdout == ""
    assert not fake.requests


# -- who is asked, as whom ---------------------------------------------------

def test_login_writes_a_profile_that_others_cannot_read(postern, fake):
    done = postern("login", fake.url + "/", "--client-id=other",
                   stdin=SECRET + "\n")
    assert done.returncode == OK, done.stderr
    assert fake.requests[-1]["credentials"] == ("other", SECRET)
    path = postern.directory / ".config" / "postern" / "default.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    nobody = dict.fromkeys(
        ["POSTERN_URL", "POSTERN_CLIENT_ID", "POSTERN_SECRET_FILE"])
    for name in nobody:
        del postern.environment[name]
    assert postern("status").returncode == OK
    assert fake.requests[-1]["credentials"] == ("other", SECRET)
    path.chmod(0o644)
    done = postern("status")
    assert done.returncode == USAGE
    assert str(path) in done.stderr


def test_profiles_have_names_and_a_place(postern, fake):
    config = postern.directory / "elsewhere"
    env = {"XDG_CONFIG_HOME": str(config)}
    assert postern("login", fake.url, "--client-id=two", "-p", "second",
                   stdin=SECRET, env=env).returncode == OK
    assert (config / "postern" / "second.json").exists()
    assert postern("status", "--profile=second", env=env).returncode == OK
    assert fake.requests[-1]["credentials"] == ("two", SECRET)
    done = postern("status", "--profile=third", env=env)
    assert done.returncode == USAGE and "third" in done.stderr
    done = postern("status", "--profile=../x", env=env)
    assert done.returncode == USAGE


def test_login_takes_a_credential_file(postern, fake):
    path = postern.directory / "admin.credential"
    path.write_text("first:" + SECRET + "\n")
    path.chmod(0o600)
    assert postern("login", fake.url, f"--credential={path}").returncode == OK
    assert fake.requests[-1]["credentials"] == ("first", SECRET)
    path.chmod(0o604)
    assert postern("login", fake.url,
                   f"--credential={path}").returncode == USAGE


def test_credentials_that_do_not_work_are_not_kept(postern, fake):
    fake.answers["GET /status"] = (401, {
        "code": "invalid_client", "message": "Client credentials are wrong."})
    done = postern("login", fake.url, "--client-id=x", stdin="wrong")
    assert done.returncode == DENIED
    assert not (postern.directory / ".config").exists()


def test_the_environment_counts_whole_or_not_at_all(postern, fake):
    del postern.environment["POSTERN_CLIENT_ID"]
    done = postern("status")
    assert done.returncode == USAGE
    assert "POSTERN_CLIENT_ID" in done.stderr
    assert not fake.requests


@pytest.mark.parametrize("url", [
    "http://postern.example:8081", "ftp://127.0.0.1", "http://1.2.3.4",
    "http://me:word@127.0.0.1:1", "http://127.0.0.1:1/?x=1", "::",
    "http://127.0.0.1.example", "file:///etc/passwd"])
def test_urls_that_are_not_called(postern, url):
    done = postern("status", env={"POSTERN_URL": url})
    assert done.returncode == USAGE, done.stderr
    assert "word" not in done.stderr


def test_nobody_there_is_4(postern):
    done = postern("status",
                   env={"POSTERN_URL": f"http://127.0.0.1:{free_port()}"})
    assert done.returncode == UNREACHABLE
    assert "cannot be reached" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_redirection_is_not_followed(postern, fake):
    fake.answers["GET /status"] = (
        302, {}, {"Location": fake.url + "/stolen"})
    assert postern("status").returncode == FAILED
    assert len(fake.requests) == 1


def test_no_answer_in_time_is_4(postern, fake):
    enough = threading.Event()
    fake.answers["GET /status"] = lambda _: enough.wait(RUN_SECS) and None
    done = postern("status", "--timeout=1")
    enough.set()
    assert done.returncode == UNREACHABLE
    assert "in time" in done.stderr


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    make_certificates(directory)
    return directory


@pytest.mark.parametrize("name,ca,code", [
    ("good", "ca.pem", OK), ("good", None, DENIED),
    ("wrong", "ca.pem", DENIED), ("good", "nowhere.pem", DENIED)])
def test_tls_is_verified(certificates, tmp_path, name, ca, code):
    fake = FakeGateway(tls_context(certificates, name))
    try:
        postern = Command(tmp_path, fake.url)
        done = postern("status", *([f"--ca={certificates / ca}"] if ca else []))
        assert done.returncode == code, done.stderr
        assert bool(fake.requests) == (code == OK)
        if code == OK:
            login = postern("login", fake.url, f"--ca={certificates / ca}",
                            "--client-id=x", stdin="y")
            assert login.returncode == OK
            assert postern("status", "-p", "default").returncode == OK
    finally:
        fake.close()


def test_the_secret_is_asked_for_without_echo(postern, fake):
    """On the controlling terminal of a session of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(postern.directory)
        os.execve(str(BIN / "postern"),
                  ["postern", "login", fake.url, "--client-id=typed"],
                  {k: v for k, v in postern.environment.items()
                   if k in ("PATH", "HOME")})
    seen = b""
    while b"Secret: " not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, SECRET.encode() + b"\n")
    try:
        while chunk := os.read(terminal, 1000):
            seen += chunk
    except OSError:
        pass  # the terminal went with the process
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == OK, seen
    assert b"s3cret" not in seen
    assert fake.requests[-1]["credentials"] == ("typed", SECRET)


# -- printing ----------------------------------------------------------------

CLIENTS = [{"client_id": "a", "name": "Grüße 日本", "idps": ["x", "y"]},
           {"client_id": "longer", "enabled": False}]


def test_a_list_is_a_table_or_one_document(postern, fake):
    fake.answers["GET /clients"] = (200, {"items": CLIENTS,
                                          "next_after": None})
    done = postern("client", "list")
    assert done.stdout == (
        "ID      NAME        ENABLED  IDPS\n"
        "a       Grüße 日本  yes      x, y\n"
        "longer  -           no       -\n")
    assert "\x1b" not in done.stdout
    assert json.loads(postern("client", "list", "--json").stdout) == CLIENTS


def test_pages_of_a_list_are_put_together(postern, fake):
    def page(request):
        if request["query"].get("after") == "a/b":
            return 200, {"items": CLIENTS[1:], "next_after": None}
        return 200, {"items": CLIENTS[:1], "next_after": "a/b"}
    fake.answers["GET /clients"] = page
    assert json.loads(postern("client", "list", "--json").stdout) == CLIENTS


def test_a_list_without_end_ends(postern, fake):
    fake.answers["GET /clients"] = (200, {"items": [], "next_after": "again"})
    assert postern("client", "list").returncode == OK


def test_colours_only_where_wanted(postern, fake):
    fake.answers["GET /clients"] = (200, {"items": CLIENTS})
    plain = postern("client", "list").stdout
    coloured = postern("client", "list", "--color=always").stdout
    assert "\x1b[1m" in coloured and "\x1b" not in plain
    for env, wanted in (({"TERM": "xterm"}, True),
                        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                        ({"TERM": "dumb"}, False)):
        assert (b"\x1b[1m" in on_terminal(postern, env, "client", "list")
                ) == wanted


def on_terminal(postern, env, *words):
    master, slave = pty.openpty()
    child = subprocess.Popen([str(BIN / "postern"), *words], stdout=slave,
                             stderr=slave, stdin=subprocess.DEVNULL,
                             env={**postern.environment, **env})
    os.close(slave)
    seen = b""
    try:
        while chunk := os.read(master, 10000):
            seen += chunk
    except OSError:
        pass
    os.close(master)
    child.wait(RUN_SECS)
    return seen


def test_long_work_shows_progress_on_a_terminal_only(postern, fake):
    (postern.directory / "realm.yaml").write_text("{}\n")
    shown = threading.Event()

    def answer(_):
        shown.wait(RUN_SECS)
        return 200, {"changes": []}
    fake.answers["POST /realm/plan"] = answer
    master, slave = pty.openpty()
    child = subprocess.Popen([str(BIN / "postern"), "plan", "."],
                             stdout=subprocess.PIPE, stderr=slave,
                             env=postern.environment, cwd=postern.directory)
    os.close(slave)
    seen = b""
    while b"planning: 1 s" not in seen:
        seen += os.read(master, 1000)
    shown.set()
    while b"nothing differs" not in seen:
        seen += os.read(master, 1000)
    os.close(master)
    assert b"\r\x1b[K" in seen  # the line is taken away
    assert child.communicate(timeout=RUN_SECS)[0] == b""
    assert child.returncode == OK


def test_an_interrupt_ends_a_call_at_once(postern, fake):
    asked, enough = threading.Event(), threading.Event()

    def answer(_):
        asked.set()
        enough.wait(RUN_SECS)
        return 200, {"items": []}
    fake.answers["GET /clients"] = answer
    child = subprocess.Popen([str(BIN / "postern"), "client", "list"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=postern.environment)
    assert asked.wait(RUN_SECS)
    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=RUN_SECS) == (b"", b"")
    assert child.returncode == -signal.SIGINT
    enough.set()


def test_a_server_cannot_steer_the_terminal(postern, fake):
    fake.answers["GET /clients"] = (
        200, {"items": [{"client_id": ESCAPE, "name": ESCAPE}]})
    fake.answers["GET /clients/x"] = (200, {ESCAPE: ESCAPE})
    fake.answers["GET /executions/x"] = (200, {
        "stack": ESCAPE, "log": [{"level": ESCAPE, "text": ESCAPE}],
        "calls": [{"call": ESCAPE, "error": ESCAPE}]})
    fake.answers["GET /log"] = (200, {"next": 1, "lines": [
        {"level": "info", "text": ESCAPE, "idp": ESCAPE}]})
    fake.answers["GET /scopes"] = (400, {
        "code": ESCAPE, "message": ESCAPE, "details": [
            {"file": ESCAPE, "key": ESCAPE, "message": ESCAPE, "line": 1}]})
    fake.answers["POST /realm/plan"] = (200, {"changes": [
        {"path": "realm.yaml", "action": "change", "before": ESCAPE,
         "after": ESCAPE + "\n"}], "warnings": [ESCAPE]})
    (postern.directory / "realm").mkdir()
    (postern.directory / "realm" / "realm.yaml").write_text("{}\n")
    for line in ("client list", "client show x", "executions show x", "logs",
                 "scope list", "plan realm"):
        for json_too in ([], ["--json"]):
            done = postern(*line.split(), *json_too)
            said = done.stdout + done.stderr
            assert "title" in said
            for control in "\x1b\x07\u202e\u009b":
                assert control not in said, (line, said)


def test_what_was_not_written_is_a_failure(postern, fake):
    fake.answers["GET /clients"] = (200, {"items": CLIENTS})
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([str(BIN / "postern"), "client", "list"],
                              stdout=full, stderr=subprocess.PIPE, text=True,
                              env=postern.environment, check=False)
    assert done.returncode == FAILED
    assert "could not be written" in done.stderr


def test_a_closed_pipe_ends_it_quietly(postern, fake):
    fake.answers["GET /clients"] = (
        200, {"items": [{"client_id": "x" * 100} for _ in range(20000)]})
    child = subprocess.Popen([str(BIN / "postern"), "client", "list"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=postern.environment)
    child.stdout.read(10)
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait(RUN_SECS) == -signal.SIGPIPE


# -- refusals ----------------------------------------------------------------

@pytest.mark.parametrize("status,code", [
    (400, INVALID), (401, DENIED), (403, DENIED), (404, NOT_FOUND),
    (409, CONFLICT), (412, CONFLICT), (413, INVALID), (500, FAILED),
    (503, UNREACHABLE)])
def test_refusals_have_exit_statuses(postern, fake, status, code):
    fake.answers["GET /clients/x"] = (
        status, {"code": "some_code", "message": "It is so."})
    done = postern("client", "show", "x")
    assert done.returncode == code
    assert done.stderr.startswith("postern: It is so (some_code)")


def test_places_are_shown_as_compilers_do(postern, fake):
    fake.answers["POST /clients"] = (400, {
        "code": "invalid_realm", "message": "The realm is not valid.",
        "details": [{"file": "clients/a.yaml", "line": 3, "key": "idps",
                     "message": "no such identity provider"}]})
    done = postern("client", "create", "-", stdin='{"client_id": "a"}')
    assert done.returncode == INVALID
    assert ("  clients/a.yaml:3: idps: no such identity provider\n"
            in done.stderr)


def test_errors_of_other_endpoints_are_understood(postern, fake):
    fake.answers["GET /clients"] = (
        421, {"error": "invalid_request", "error_description": "Not here."})
    done = postern("client", "list")
    assert done.returncode == FAILED
    assert "Not here (invalid_request)" in done.stderr


@pytest.mark.parametrize("answer", [
    b"nonsense\r\n\r\n",
    CUT_SHORT,
    (200, b"{", {}), (200, b"[" * 100000, {}), (200, b"", {}),
    (200, b'{"items": [], "items": []}', {}), (200, b"\xff\xfe", {}),
    (200, {"items": 7}), (200, "text"), (200, None), (204, None),
    (200, b"<html>", {"Content-Type": "text/html"})])
def test_answers_that_no_gateway_gives_are_4(postern, fake, answer):
    fake.answers["GET /clients"] = answer
    done = postern("client", "list")
    assert done.returncode == UNREACHABLE, done
    assert done.stdout == ""
    assert done.stderr.startswith("postern: ")


def test_a_change_without_an_answer_may_have_been_made(postern, fake):
    fake.answers["DELETE /clients/a"] = CUT_SHORT
    fake.answers["GET /clients/a"] = CUT_SHORT
    done = postern("client", "delete", "a")
    assert done.returncode == UNREACHABLE
    assert "is not known" in done.stderr
    assert len(fake.requests) == 1
    assert "is not known" not in postern("client", "show", "a").stderr


def test_a_giant_answer_is_given_up(postern, fake):
    fake.answers["GET /clients"] = (200, b'"' + b"x" * (17 << 20) + b'"', {})
    done = postern("client", "list")
    assert done.returncode == UNREACHABLE
    assert "bytes" in done.stderr


# -- single resources --------------------------------------------------------

def test_an_update_does_not_lose_anothers(postern, fake):
    fake.answers["GET /clients/a"] = (
        200, {"client_id": "a"}, {"ETag": '"tag"'})
    fake.answers["PATCH /clients/a"] = (204, None)
    done = postern("client", "update", "a", "-", stdin='{"name": "new"}')
    assert done.returncode == OK, done.stderr
    assert fake.requests[-1]["headers"]["If-Match"] == '"tag"'
    assert fake.json_of() == {"name": "new"}
    fake.answers["PATCH /clients/a"] = (
        412, {"code": "precondition_failed", "message": "It was changed."})
    assert postern("client", "update", "a", "-", stdin="{}"
                   ).returncode == CONFLICT


def test_a_property_takes_its_value_from_standard_input(postern, fake):
    fake.answers["PATCH /properties/key"] = (204, None)
    done = postern("property", "set", "key", stdin="a value\nof two\n")
    assert done.returncode == OK
    assert fake.json_of() == {"value": "a value\nof two"}
    del fake.answers["PATCH /properties/key"]
    fake.answers["POST /properties"] = (201, {"id": "key"})
    assert postern("property", "set", "key", "--sensitive", stdin="v"
                   ).returncode == OK
    assert fake.json_of() == {"id": "key", "value": "v", "sensitive": True}


def test_ids_are_encoded_into_paths(postern, fake):
    postern("client", "show", "../realm?x=%2e")
    assert fake.requests[-1]["path"].endswith("/clients/..%2Frealm%3Fx%3D%252e")


def test_a_release_is_made_from_a_folder(postern, fake):
    folder = postern.directory / "x"
    folder.mkdir()
    assert postern("release", "create", "x", folder).returncode == USAGE
    (folder / "complete.js").write_text("function execute() {}\n")
    fake.answers["POST /idps/x/releases"] = (201, {"release": "abcd" * 16})
    done = postern("release", "create", "x", folder, "--why=it is better")
    assert done.stdout == "abcd" * 16 + "\n"
    assert fake.json_of() == {
        "scripts": {"complete": "function execute() {}\n", "init": None,
                    "backchannel": None}, "why": "it is better"}


def test_shadow_takes_the_newest_draft(postern, fake):
    fake.answers["GET /idps/x/releases"] = (200, {"items": [
        {"release": "b" * 64, "state": "live"},
        {"release": "d" * 64, "state": "draft"},
        {"release": "e" * 64, "state": "draft"}]})
    fake.answers[f"PUT /idps/x/releases/{'d' * 64}/shadow"] = (204, None)
    done = postern("release", "shadow", "x", "--percent", "5")
    assert done.returncode == OK, done.stderr
    assert fake.json_of() == {"percent": 5}


def test_logs_follow_until_interrupted(postern, fake):
    def lines(request):
        after = int(request["query"]["after"])
        if after == 0:
            return 200, {"lines": [{"level": "info", "text": "first"}],
                         "next": 1, "lost": 0}
        if after == 1 and not fake.broken:
            fake.broken = True
            return CUT_SHORT  # the connection ends: tried again
        return 200, {"lines": [{"level": "warn", "text": "second"}],
                     "next": 2, "lost": 3}
    fake.broken = False
    fake.answers["GET /log"] = lines
    child = subprocess.Popen(
        [str(BIN / "postern"), "logs", "-f", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=postern.environment)
    assert json.loads(child.stdout.readline())["text"] == "first"
    assert json.loads(child.stdout.readline())["text"] == "second"
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=RUN_SECS)
    assert child.returncode == -signal.SIGINT
    assert "trying again" in said and "3 lines" in said


def test_nothing_of_the_secret_is_in_the_process_list(postern, fake):
    seen = []

    def look(_):
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                seen.append(read_all(f"/proc/{entry}/cmdline"))
        return 200, {"version": "0"}
    fake.answers["GET /status"] = look
    assert postern("login", fake.url, "--client-id=x",
                   stdin=SECRET).returncode == OK
    assert any(b"login" in line for line in seen)
    assert not any(SECRET.encode() in line for line in seen)


def read_all(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_it_depends_on_nothing_of_the_gateway_or_engine():
    done = subprocess.run(["ldd", str(BIN / "postern")], capture_output=True,
                          text=True, check=True)
    for name in ("civetweb", "sqlite", "nng", "duktape", "cjose"):
        assert name not in done.stdout


def test_the_guide_lists_the_exit_statuses(postern):
    text = (ROOT / "docs" / "CONFIGURATION-API.md").read_text()
    for number in re.findall(r"^ +(\d+)  \S", postern("--help").stdout, re.M):
        assert f"\n| {number} | " in text
