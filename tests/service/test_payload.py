"""requestPayload is a primitive string whose JSON members can be read
directly, without changing any other string (SPEC 3.1)."""

import json

import pytest

from harness.standard import standard_realm

READS = """
function execute(requestPayload) {
  var copy = ("" + requestPayload).slice(0);
  return {status: 2000, user: {id: "x"}, responsePayload: {
    type: typeof requestPayload, text: requestPayload,
    instance: requestPayload instanceof String,
    userId: requestPayload.userId, length: requestPayload.length,
    parsed: JSON.parse(requestPayload).userId,
    slice: typeof requestPayload.slice,
    equals: typeof requestPayload.toString(),
    other: typeof "another string".userId, empty: typeof "".userId,
    constructed: requestPayload.constructor === String,
    keys: Object.keys(String.prototype),
    proto: requestPayload.__proto__ === String.prototype}};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("reads")
    realm.idp("reads", READS)
    return realm


def read(service, payload):
    answer = service.complete("reads", payload)
    assert answer.status_code == 200, service.logs()
    return json.loads(answer.json()["data"])


def test_direct_reads(service):
    payload = '{"userId":"jane"}'
    seen = read(service, payload)
    assert seen["type"] == "string"
    assert seen["text"] == payload
    assert seen["userId"] == "jane"
    assert seen["parsed"] == "jane"
    assert seen["other"] == "undefined" and seen["empty"] == "undefined"
    assert seen["instance"] is False


def test_a_caller_cannot_change_how_strings_behave(service):
    seen = read(service, json.dumps({
        "userId": "x", "length": 1, "slice": "no", "toString": "no",
        "constructor": "no", "__proto__": {"evil": 1}, "valueOf": 7,
        "hasOwnProperty": 1, "equals": "no", "split": None}))
    assert seen["length"] > 1
    assert seen["slice"] == "function"
    assert seen["equals"] == "string"
    assert seen["constructed"] is True
    assert seen["proto"] is True


@pytest.mark.parametrize("payload", [
    '{"userId":{"deep":[1]}}', '{"userId":null}', '{"userId":5}'])
def test_values_of_every_type(service, payload):
    assert read(service, payload)["userId"] == json.loads(payload)["userId"]


def test_hostile_names(service):
    names = {f"n{i}": i for i in range(3000)}
    names["userId"] = "jane"
    assert read(service, json.dumps(names))["userId"] == "jane"


@pytest.mark.parametrize("text", ["ü€😀", "\u0000", "\ufeff", "\u2028"])
def test_strings_cross_unharmed(service, text):
    payload = json.dumps({"userId": text}, ensure_ascii=False)
    seen = read(service, payload)
    assert seen["userId"] == text
    assert seen["text"] == payload
