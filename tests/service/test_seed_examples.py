"""The original documentation's example scripts run byte for byte.

They are read from the folder named by POSTERN_SEEDS; the project has no copy.
"""

import os
import re
import time
from pathlib import Path

import pytest

from harness.service import Service
from harness.standard import standard_realm
from test_tokens import claims

SEEDS = os.environ.get("POSTERN_SEEDS", "")

pytestmark = pytest.mark.skipif(
    not Path(SEEDS or "/nonexistent").is_dir(),
    reason="POSTERN_SEEDS names no folder with the original documents")

SECTION = re.compile(
    rb"^#### (Init|Complete|Backchannel)[^\n]*\n(.*?)^```js\n(.*?)^```",
    re.S | re.M)


def example_scripts():
    """Step to the bytes between the fences, exactly."""
    scripts = {}
    for path in sorted(Path(SEEDS).iterdir()):
        for step, _, script in SECTION.findall(path.read_bytes()):
            scripts.setdefault(step.decode().lower(), []).append(script)
    return scripts


def all_blocks():
    return [block for path in sorted(Path(SEEDS).iterdir())
            for block in re.findall(rb"^```js\n(.*?)^```", path.read_bytes(),
                                    re.S | re.M)]


@pytest.fixture(scope="module")
def running_service():
    scripts = example_scripts()
    realm = standard_realm("ExampleId", "OneStepId")
    realm.idp("ExampleId", scripts["complete"][0], init=scripts["init"][0],
              backchannel=scripts["backchannel"][0])
    realm.idp("OneStepId", scripts["complete"][0])
    with Service(realm) as service:
        yield service


def test_every_block_is_used():
    used = [s for scripts in example_scripts().values() for s in scripts]
    assert sorted(used) == sorted(all_blocks())
    assert set(example_scripts()) == {"init", "complete", "backchannel"}


def test_init_and_complete(service):
    answer = service.init("ExampleId", '{"custom_json_key":"custom json data"}')
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"transaction_id", "data", "status"}
    assert body["data"] == ""
    assert body["status"] == 2000

    before = int(time.time() * 1000)
    answer = service.complete(
        "ExampleId", "x", body["transaction_id"],
        members={"scope": ["read", "write", "openid"]})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"status", "oauth_token"}
    assert set(body["oauth_token"]) == {
        "token_type", "access_token", "refresh_token", "id_token",
        "expires_in"}
    _, user = claims(service, body["oauth_token"]["id_token"])
    prefix, _, born = user["sub"].rpartition("_")
    assert prefix == "ExampleId|userId"
    assert before - 1000 <= int(born) <= time.time() * 1000 + 1000
    assert user["amr"] == ["mfa", "pwd"]
    assert user["firstName"] == "John"
    assert user["lastName"] == "Doe"
    assert user["email"] == "john.doe@onewelcome.io"


def test_one_step(service):
    answer = service.complete("OneStepId")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"status", "oauth_token"}


def test_backchannel(service):
    """`requestPayload.userId` reads a member of the JSON text."""
    answer = service.backchannel("ExampleId", '{"userId":"jane"}')
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"status", "data"}
    assert body["status"] == 2000
    name, _, born = body["data"].rpartition("_")
    assert name == "jane"
    assert born.isdigit()
