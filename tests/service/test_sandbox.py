"""A running child as the kernel sees it: every layer is on."""

import os
import threading

import pytest

from harness import procfs
from harness.processes import SANITIZED
from harness.service import success
from harness.standard import standard_realm
from harness.wait import until

pytestmark = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer's runtime needs a wider sandbox")

SPIN = """
function execute() {
  var end = Date.now() + 4000;
  while (Date.now() < end) {}
  return {status: 2000, user: {id: "x"}};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("spin")
    realm.idp("spin", SPIN, script={"cpu_ms": 5000})
    return realm


@pytest.fixture(scope="module")
def child(running_service):
    """Pid of a child in the middle of its script."""
    thread = threading.Thread(
        target=lambda: running_service.complete("spin"))
    thread.start()

    def burning():
        for pid in running_service.script_processes():
            fields = procfs.stat_fields(pid)
            if fields and int(fields[11]) > 5:
                return pid
        return None
    yield until(burning, "a running child")
    thread.join()


@pytest.fixture(scope="module")
def facts(child):
    """All of /proc that the tests need, read while it runs."""
    return {
        "status": procfs.status(child),
        "descriptors": procfs.descriptors(child),
        "limits": open(f"/proc/{child}/limits").read(),
        "environ": open(f"/proc/{child}/environ", "rb").read(),
        "oom": int(open(f"/proc/{child}/oom_score_adj").read()),
        "threads": os.listdir(f"/proc/{child}/task"),
        "comm": procfs.executable(child),
        "maps": open(f"/proc/{child}/maps").read(),
    }


def test_seccomp_and_no_new_privileges(facts):
    assert facts["status"]["Seccomp"] == "2"
    assert facts["status"]["NoNewPrivs"] == "1"


def test_no_capabilities(facts):
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(facts["status"][name], 16) == 0, name


def test_not_root(facts):
    """An own uid where the engine was started as root, and only then."""
    assert set(facts["status"]["Uid"].split()) != {"0"}
    uids = set(facts["status"]["Uid"].split())
    assert len(uids) == 1
    if os.getuid() == 0:
        assert "0" not in uids
        assert "0" not in facts["status"]["Gid"].split()
    else:
        assert uids == {str(os.getuid())}
    groups = facts["status"].get("Groups", "").split()
    assert "0" not in groups


def test_descriptors(facts):
    """Its socket to the front, and nothing that leads anywhere else."""
    kinds = sorted(facts["descriptors"].values())
    sockets = [kind for kind in kinds if kind.startswith("socket:")]
    others = [kind for kind in kinds if not kind.startswith("socket:")
              and kind != "/dev/null"]
    assert len(sockets) == 1, facts["descriptors"]
    assert others == [], facts["descriptors"]


def test_limits(facts):
    limits = {line[:26].strip(): line[26:].split()[:2]
              for line in facts["limits"].splitlines()[1:]}
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max processes"] == ["0", "0"]
    assert limits["Max file size"] == ["0", "0"]
    assert int(limits["Max open files"][1]) <= 8
    assert limits["Max address space"][1] != "unlimited"


def test_one_thread_no_environment(facts):
    assert len(facts["threads"]) == 1
    assert b"=" not in facts["environ"].replace(b"TZ=UTC0", b"")


def test_memory_pressure_kills_it_first(facts):
    assert facts["oom"] > 0


def test_nothing_it_should_not_know_is_mapped(facts):
    for library in ("libnng", "libsqlite3", "libssl", "libcurl"):
        assert library not in facts["maps"]


def test_templates_are_sandboxed_too(service):
    assert service.complete("mirror", success()).status_code == 200
    templates = service.templates()
    assert templates
    for pid in templates:
        status = procfs.status(pid)
        assert status["Seccomp"] == "2"
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == 0


def test_the_engine_reports_no_missing_layer(service):
    degraded = [entry for entry in service.gateway.log_entries()
                if "sandbox" in str(entry) and entry.get("level") == "warn"]
    assert degraded == []
