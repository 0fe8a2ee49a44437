"""A script throws on one user's data, in production. What an operator does
from there, with the `postern` command alone: find it, look at it, run it again
with the same stack, mend it as a draft, see that the mended script copes, keep
it as a test, publish it."""

import json
import os
import subprocess

import pytest
import requests

from harness.configuration import ADMIN
from harness.processes import BIN, SLOWNESS
from harness.realm import SECRET
from harness.service import Service
from harness.standard import standard_realm

API_KEY = "the-key-of-the-user-directory"
DIFFERS = 1

# Throws where a user has no mail address.
BROKEN = """
function domain(user) {
  return user.mail.split("@")[1];
}
function execute(requestPayload) {
  LOG.info("looking up with {} at {}", PROPERTIES.api_key, Date.now());
  CACHE.store("seen-" + requestPayload.name, PROPERTIES.api_key);
  var user = JSON.parse(requestPayload);
  return {status: 2000, user: {id: user.name, domain: domain(user)},
      responsePayload: {number: Math.random()}};
}
"""
MENDED = BROKEN.replace(
    'return user.mail.split("@")[1];',
    'return user.mail ? user.mail.split("@")[1] : "none";')


@pytest.fixture(scope="module")
def running_service():
    realm = standard_realm("shop", "stall")
    realm.properties({"id": "api_key", "value": API_KEY, "sensitive": True})
    realm.api_client("auditor", "events")
    for idp in ("shop", "stall"):
        realm.idp(idp, BROKEN, record={"mode": "failures", "mask": ["/pin"]})
    with Service(realm, in_store=True) as service:
        yield service


class Operator:
    """Someone with the `postern` command and a directory."""

    def __init__(self, service, directory):
        self.directory = directory
        self.printed = ""
        secret = directory / "secret"
        secret.touch(mode=0o600)
        secret.write_text(ADMIN[1] + "\n")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(directory),
            "POSTERN_URL": service.admin_url, "POSTERN_CLIENT_ID": ADMIN[0],
            "POSTERN_SECRET_FILE": str(secret)}

    def postern(self, *words, status=0):
        done = subprocess.run(
            [str(BIN / "postern"), *map(str, words)], cwd=self.directory,
            env=self.environment, capture_output=True, text=True,
            check=False, timeout=60 * SLOWNESS)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        self.printed += done.stdout + done.stderr
        return done.stdout

    def json(self, *words, status=0):
        return json.loads(self.postern(*words, "--json", status=status))


@pytest.fixture
def operator(service, tmp_path):
    return Operator(service, tmp_path)


def registers(service, user, idp="shop"):
    return service.complete(idp, json.dumps(user))


def failing(service, idp="shop"):
    """A user that the script as it is cannot cope with; the execution's id."""
    answer = registers(service, {"name": "eve", "pin": "1234-secret"}, idp)
    assert answer.status_code == 500, answer.text
    return answer.headers["X-Correlation-Id"]


def test_from_a_failure_to_its_mended_release(service, operator):
    assert registers(
        service, {"name": "bob", "mail": "b@b.example"}).status_code == 200
    failed = failing(service)

    # Listed and shown.
    listed = operator.json("executions", "list", "--idp", "shop", "--failed")
    assert [row["correlation_id"] for row in listed] == [failed]
    shown = operator.json("executions", "show", failed)
    assert shown["line"] == 3 and "domain" in shown["stack"]
    assert json.loads(shown["data"]) == {"name": "eve", "pin": "***"}
    assert shown["replayable"] is True
    assert [call["call"] for call in shown["calls"]] == ["cache_store"]

    # Replayed, with the same stack.
    assert "same as recorded" in operator.postern("replay", failed)
    replayed = operator.json("replay", failed)
    assert replayed["same"] is True
    assert replayed["outcome"]["stack"] == shown["stack"]
    assert replayed["outcome"]["log"][0]["text"].startswith(
        "looking up with *** at ")

    # Mended in a file, replayed green, which is another outcome.
    folder = operator.directory / "shop"
    folder.mkdir()
    (folder / "complete.js").write_text(MENDED)
    diff = operator.postern(
        "replay", failed, "--draft", folder / "complete.js", status=DIFFERS)
    assert "-code: 3001 threw" in diff and "+code: 0 ok" in diff
    assert '+  "domain": "none"' in diff.replace("+    ", "+  ")

    # Kept as a test of the mended script, which the broken one fails.
    test = folder / "complete.eve.test.yaml"
    operator.postern("replay", failed, "--draft", folder / "complete.js",
                     "--as-test", test, status=DIFFERS)
    assert API_KEY not in test.read_text()
    operator.postern("test", folder)
    (folder / "complete.js").write_text(BROKEN)
    operator.postern("test", folder, status=1)
    (folder / "complete.js").write_text(MENDED)

    # A draft, seen to cope as such, then live.
    release = operator.json(
        "release", "create", "shop", folder, "--why", "users without mail")[
            "release"]
    draft = operator.json(
        "replay", failed, "--release", release, status=DIFFERS)
    assert draft["outcome"]["status"] == 2000
    operator.postern("release", "publish", "shop", release)
    assert registers(service, {"name": "eve"}).status_code == 200

    # The failure is still there, of the release that it was.
    assert operator.json("replay", failed)["same"] is True

    assert API_KEY not in operator.printed
    assert "1234-secret" not in operator.printed


def test_true_values_are_for_who_asks(service, operator):
    failed = failing(service, "stall")
    before = events(service)
    text = operator.postern("replay", failed, "--show")
    assert API_KEY in text and "1234-secret" in text
    assert events(service) == before + 1


def test_odd_data_is_replayed_too(service, operator):
    for data in ("", "\0", '{"name":"\0"}', "\u2028\U0001f600\x7f\x1b[31m",
                 '"' * 5000, '{"pin":' * 30):
        answer = service.complete("stall", data)
        assert answer.status_code == 500, data
        text = operator.postern("replay", answer.headers["X-Correlation-Id"])
        assert "same as recorded" in text and "\x1b" not in text


def events(service):
    """How many times a recording was read."""
    answer = requests.get(
        service.url + "/oauth/api/v1/events", auth=("auditor", SECRET),
        params={"type": "EXECUTION_RECORDING_READ", "limit": 100}, timeout=20)
    assert answer.status_code == 200, answer.text
    return len(answer.json()["events"])
