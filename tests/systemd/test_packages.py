"""The packages in a machine of their own: install, serve, crash, restart under
load, upgrade, remove, purge. One story: each test goes on where the one before
it stopped."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from machine import Machine, until, why_impossible

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"
GATEWAY, ENGINE = "postern-gateway", "postern-engine"
READY = "http://127.0.0.1:8081/health/ready"
EDGE = "https://localhost/oauth/custom-registration/demo-one-step/complete"
THREADS = 4
DEMO = "/usr/share/doc/postern-gateway/examples/demo-realm"

# systemd-analyze security: the most that each unit may show.
EXPOSURE_MAX = {GATEWAY: 1.1, ENGINE: 0.5}
EXPOSURE_MAX_WITH = {"tls": 1.0, "http": 1.2}

pytestmark = pytest.mark.skipif(why_impossible() is not None,
                                reason=str(why_impossible()))


def build_packages(directory, revision):
    subprocess.run(
        ["cpack", "--config", str(BUILD / "CPackConfig.cmake"), "-B",
         str(directory), "-D", f"CPACK_DEBIAN_PACKAGE_RELEASE={revision}"],
        cwd=BUILD, check=True, capture_output=True, text=True)
    shutil.rmtree(directory / "_CPack_Packages")
    found = sorted(directory.glob(f"*-{revision}_*.deb"))
    assert len(found) >= 2, list(directory.iterdir())
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("packages")
    return {1: build_packages(directory, 1), 2: build_packages(directory, 2)}


@pytest.fixture(scope="module")
def machine(packages):
    with Machine() as booted:
        for debs in packages.values():
            for deb in debs:
                shutil.copy(deb, booted.path("/root"))
        shutil.copy(Path(__file__).with_name("load.py"),
                    booted.path("/root/load.py"))
        yield booted


def installed(machine, debs):
    # Its file system is in memory: nothing to wait for.
    machine.run("dpkg", "--force-unsafe-io", "--install",
                *(f"/root/{deb.name}" for deb in debs))


def is_ready(machine):
    return machine.run("curl", "-sf", READY, check=False).returncode == 0


def register(machine):
    """Its tokens."""
    answer = machine.run(
        "curl", "-sS", "-u", "demo-app:demo-secret-of-demo-app", "-H",
        "Content-Type: application/json", "-d",
        json.dumps({"data": json.dumps({"username": "dana",
                                        "password": "demo-password"}),
                    "scope": ["read", "openid"]}),
        "http://127.0.0.1:8080/oauth/custom-registration/demo-one-step/"
        "complete").stdout
    tokens = json.loads(answer)["oauth_token"]
    assert re.fullmatch("[0-9A-F]{64}", tokens["access_token"]), answer
    return tokens


def key_ids(machine):
    answer = machine.run("curl", "-sSf",
                         "http://127.0.0.1:8080/oauth/v1/keys").stdout
    return sorted(key["kid"] for key in json.loads(answer)["keys"])


class Load:
    """Requests through HAProxy while something happens."""

    def __init__(self, machine):
        self.process = subprocess.Popen(
            machine.command("/usr/bin/python3", "/root/load.py", EDGE,
                            "/etc/haproxy/ca.pem", str(THREADS)),
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "started\n"

    def stop(self):
        out, _ = self.process.communicate("stop\n", timeout=60)
        return json.loads(out)


# ---- the packages themselves ------------------------------------------------

def test_lintian_finds_no_error(packages):
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error",
         *map(str, packages[1])],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_installing_starts_nothing(machine, packages):
    installed(machine, packages[1])
    for unit in (GATEWAY, ENGINE):
        assert machine.show(unit, "ActiveState") == "inactive"
        assert machine.show(unit, "UnitFileState") == "disabled"
    for directory, mode in (("/etc/postern/gateway.credentials", "700 root"),
                            ("/etc/postern/engine.credentials", "700 root"),
                            ("/etc/postern/realm", "750 root"),
                            ("/run/postern", "2750 postern-gateway")):
        assert machine.run("stat", "-c", "%a %U", directory
                           ).stdout.strip() == mode
    # Everything of the host's own would do here; only users are new.
    assert "postern-gateway" in machine.run("id", "postern-gateway").stdout


def test_units_are_without_mistake(machine):
    """systemd-analyze ends with 0 on mistakes too: it must say nothing."""
    instance = f"/root/{ENGINE}@one.service"
    machine.run("cp", f"/lib/systemd/system/{ENGINE}@.service", instance)
    for file in (f"/lib/systemd/system/{GATEWAY}.service",
                 f"/lib/systemd/system/{ENGINE}.service", instance):
        done = machine.run("systemd-analyze", "verify", file, check=False)
        assert done.stdout + done.stderr == "", file


def exposure(machine, unit_file):
    out = machine.run("systemd-analyze", "security", "--offline=yes",
                      "--no-pager", unit_file, check=False).stdout
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", out)[1])


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_exposure(machine, unit):
    file = f"/lib/systemd/system/{unit}.service"
    assert exposure(machine, file) <= EXPOSURE_MAX[unit]


@pytest.mark.parametrize("drop_in", EXPOSURE_MAX_WITH)
def test_exposure_with_a_network(machine, drop_in):
    """A drop-in is not looked at offline: as one file they say the same."""
    file = f"/root/{ENGINE}-{drop_in}.service"
    machine.run("sh", "-c", f"cat /lib/systemd/system/{ENGINE}.service"
                f" /usr/share/postern-engine/{drop_in}.conf >{file}")
    assert exposure(machine, file) <= EXPOSURE_MAX_WITH[drop_in]


# ---- serving -----------------------------------------------------------------

def test_the_first_start_as_the_guide_says(machine):
    machine.run("systemctl", "enable", "--now", GATEWAY, ENGINE)
    until(lambda: is_ready(machine), "readiness")
    machine.run("postern", "login", "http://127.0.0.1:8081", "--credential",
                "/etc/postern/gateway.credentials/admin")
    machine.run("postern", "apply", DEMO)
    register(machine)


def test_a_realm_directory_rules(machine):
    machine.run("cp", "-rT", DEMO, "/etc/postern/realm")
    machine.run("sed", "-i", "s/^#realm = /realm = /",
                "/etc/postern/gateway.conf")
    machine.run("systemctl", "restart", GATEWAY)
    until(lambda: is_ready(machine), "readiness")
    register(machine)


def test_the_sandbox_is_whole_and_nobody_is_root(machine):
    for unit in (GATEWAY, ENGINE):
        status = machine.path(f"/proc/{machine.main_pid(unit)}/status")
        fields = dict(line.split(":\t", 1)
                      for line in status.read_text().splitlines()
                      if ":\t" in line)
        assert int(fields["Uid"].split()[0]) != 0
        assert int(fields["CapBnd"], 16) == 0
        assert fields["Seccomp"] == "2"
    health = json.loads(machine.run("curl", "-sf", READY).stdout)
    assert health["engines"] == 1 and health["engines_degraded"] == 0


def test_secrets_come_as_credentials(machine):
    """The store has no master key beside it; root alone reads the original."""
    assert not machine.path("/var/lib/postern/master.key").exists()
    assert machine.path("/var/lib/postern/postern.db").exists()
    mode = machine.run("stat", "-c", "%a %U", "/etc/postern/"
                       "gateway.credentials/master.key").stdout.strip()
    assert mode == "600 root"


def test_a_killed_engine_is_back_within_a_second(machine):
    gateway, engine = machine.main_pid(GATEWAY), machine.main_pid(ENGINE)
    restarts = int(machine.show(ENGINE, "NRestarts"))
    machine.run("kill", "-9", str(engine))
    began = time.monotonic()
    until(lambda: machine.main_pid(ENGINE) not in (0, engine), "a new engine",
          5)
    until(lambda: is_ready(machine), "readiness", 5)
    assert time.monotonic() - began < 1
    register(machine)
    assert int(machine.show(ENGINE, "NRestarts")) == restarts + 1
    assert machine.main_pid(GATEWAY) == gateway


def test_a_hanging_process_is_replaced(machine):
    """SIGSTOP: nobody feeds the watchdog any more."""
    engine = machine.main_pid(ENGINE)
    machine.run("kill", "-STOP", str(engine))
    until(lambda: machine.main_pid(ENGINE) not in (0, engine),
          "the watchdog", 40)
    until(lambda: is_ready(machine), "readiness", 10)
    register(machine)


def test_sighup_reloads(machine):
    gateway, engine = machine.main_pid(GATEWAY), machine.main_pid(ENGINE)
    machine.run("systemctl", "reload", GATEWAY, ENGINE)

    def reloads():
        text = machine.run("curl", "-sf",
                           "http://127.0.0.1:8081/metrics").stdout
        return re.search(r'postern_realm_loads_total\{.*"loaded".*\} 2\b',
                         text)

    until(reloads, "the second reading of the realm")
    assert machine.main_pid(GATEWAY) == gateway
    assert machine.main_pid(ENGINE) == engine


# ---- behind HAProxy -----------------------------------------------------------

def test_restarts_under_load_fail_no_request(machine):
    machine.run("sh", "-c", "cd /etc/haproxy && openssl req -x509 -nodes"
                " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout key.pem"
                " -out ca.pem -days 2 -subj /CN=localhost"
                " -addext subjectAltName=DNS:localhost &&"
                " cat ca.pem key.pem >postern.pem && cp"
                " /usr/share/doc/postern-gateway/examples/haproxy.cfg .")
    machine.run("systemctl", "start", "haproxy")
    load = Load(machine)
    for _ in range(3):
        before = machine.main_pid(GATEWAY)
        machine.run("systemctl", "restart", GATEWAY)
        assert machine.main_pid(GATEWAY) != before
        until(lambda: is_ready(machine), "readiness")
    machine.run("systemctl", "restart", ENGINE)
    until(lambda: is_ready(machine), "readiness")
    result = load.stop()
    assert result["failed"] == 0, result
    assert result["count"] > 20, result


# ---- the life of packages ------------------------------------------------------

def test_an_upgrade_keeps_all_and_fails_no_request(machine, packages):
    kept = key_ids(machine)
    pids = [machine.main_pid(unit) for unit in (GATEWAY, ENGINE)]
    load = Load(machine)
    installed(machine, packages[2])
    until(lambda: is_ready(machine), "readiness")
    result = load.stop()
    assert result["failed"] == 0, result
    assert key_ids(machine) == kept
    # New executables run, the operator's settings are untouched.
    for unit, pid in zip((GATEWAY, ENGINE), pids):
        assert machine.main_pid(unit) not in (0, pid)
        assert machine.run("dpkg-query", "-W", "-f", "${Version}", unit
                           ).stdout.endswith("-2")
    assert "\nrealm = " in machine.path("/etc/postern/gateway.conf").read_text()


def test_the_gateway_fed_its_watchdog_all_the_while(machine):
    """In all of its lives: nobody killed it but this test."""
    log = machine.run("journalctl", "--no-pager", "-u", GATEWAY).stdout
    assert "gateway ready" in log
    assert "Watchdog timeout" not in log
    assert "request to itself failed" not in log


def test_removing_keeps_data_and_secrets(machine, packages):
    kept = key_ids(machine)
    machine.run("dpkg", "--remove", ENGINE, GATEWAY)
    assert machine.run("systemctl", "is-active", GATEWAY, ENGINE,
                       check=False).stdout.split() == ["inactive"] * 2
    assert machine.path("/var/lib/postern/postern.db").exists()
    assert machine.path("/etc/postern/gateway.credentials/master.key").exists()
    installed(machine, packages[2])
    machine.run("systemctl", "start", GATEWAY, ENGINE)
    until(lambda: is_ready(machine), "readiness")
    assert key_ids(machine) == kept


def test_purging_removes_data_and_says_so(machine):
    said = machine.run("dpkg", "--purge", ENGINE, GATEWAY).stdout
    assert "removing /var/lib/postern" in said
    assert "/etc/postern/realm is kept" in said
    for gone in ("/var/lib/postern", "/etc/postern/gateway.credentials",
                 "/etc/postern/engine.credentials", "/run/postern",
                 "/etc/postern/gateway.conf", "/etc/postern/engine.conf"):
        assert not machine.path(gone).exists(), gone
    assert machine.path("/etc/postern/realm/realm.yaml").exists()
    failed = machine.run("systemctl", "--failed", "--no-legend").stdout
    assert "postern" not in failed
