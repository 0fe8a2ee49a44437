"""Neither the database, nor a log, nor a core holds a token, a secret or a
sensitive property that this run has issued or used."""

import os
import signal
from pathlib import Path

import pytest
import requests

from harness import procfs
from harness.processes import SANITIZED
from harness.realm import SECRET
from harness.service import success
from harness.standard import standard_realm

SENSITIVE = "sensitive-a81b27-property"

# What it makes is spelled in two halves: the script itself is stored in plain.
USING = """
function execute(requestPayload, u, registrationData) {
  var key = PROPERTIES.get("backend_key");
  LOG.info("used {}", key);
  CACHE.store("kept", "cached-" + "5d1c9e " + key);
  return {status: 2000, user: {id: "x", email: "claim-" + "66b0fd@example.com"},
          registrationData: "registration-" + "c3e1", responsePayload: "ok"};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("using")
    realm.properties({"id": "backend_key", "value": SENSITIVE,
                      "sensitive": True})
    realm.idp("using", USING, init=USING)
    return realm


@pytest.fixture(scope="module")
def secrets(running_service):
    """Everything secret that a run touches."""
    found = [SECRET, SENSITIVE, "cached-5d1c9e", "claim-66b0fd",
             "registration-c3e1"]
    for _ in range(5):
        transaction = running_service.transaction("using")
        answer = running_service.complete(
            "using", None, transaction, members={"scope": ["openid"]})
        assert answer.status_code == 200, answer.text
        token = answer.json()["oauth_token"]
        found += [transaction, token["access_token"], token["refresh_token"],
                  token["id_token"]]
    return found


def spellings(secret):
    """As text, and as the bytes behind hex digits."""
    yield secret.encode()
    try:
        yield bytes.fromhex(secret)
    except ValueError:
        return


def assert_none_in(secrets, content, where):
    for number, secret in enumerate(secrets):
        for spelling in spellings(secret):
            assert spelling not in content, f"secret {number} in {where}"


def test_not_in_the_data_directory(service, secrets):
    for path in service.data_dir.rglob("*"):
        if path.is_file() and "secrets" not in path.parts:
            assert_none_in(secrets, path.read_bytes(), path)


def test_not_in_the_logs(service, secrets):
    for process in service.processes():
        assert_none_in(secrets, process.log_path.read_bytes(), process.name)


def test_not_in_metrics_or_health(service, secrets):
    for path in ("/metrics", "/health/live", "/health/ready"):
        text = requests.get(service.admin_url + path, timeout=20).content
        assert_none_in(secrets, text, path)


def test_not_on_a_command_line_or_in_an_environment(service, secrets):
    for process in service.processes():
        for pid in [process.pid, *procfs.descendants(process.pid)]:
            for name in ("cmdline", "environ"):
                try:
                    content = Path(f"/proc/{pid}/{name}").read_bytes()
                except OSError:
                    continue
                assert_none_in(secrets, content, f"{name} of {pid}")


def test_data_directory_is_private(service, secrets):
    for path in service.data_dir.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.skipif(SANITIZED, reason="a sanitizer sets its own core limits")
@pytest.mark.parametrize("name", ["gateway", "engine"])
def test_an_abort_leaves_no_core(start, realm, name):
    service = start(realm)
    process = getattr(service, name)
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    [core] = [line for line in limits.splitlines() if "core file" in line]
    assert core.split()[4] == "0", core
    service.expected_ends.add(process)
    process.signal(signal.SIGABRT)
    process.popen.wait(20)
    assert process.popen.returncode == -signal.SIGABRT
    assert not list(Path(process.directory).glob("core*"))


@pytest.mark.skipif(SANITIZED, reason="as above")
def test_not_dumpable(service):
    """The kernel gives a process that is not dumpable's /proc to root."""
    if os.getuid() == 0:
        pytest.skip("root owns its /proc either way: run this as a user")
    for process in service.processes():
        assert os.stat(f"/proc/{process.pid}/mem").st_uid == 0


def test_a_success_still_works(service):
    assert service.complete("mirror", success()).status_code == 200
