"""init, complete and backchannel answer as the seeds show them."""

import json

import pytest

from harness.service import SECRET, success
from harness.standard import standard_realm

KEEPING_INIT = """
function execute(requestPayload) {
  return {status: 2000, responsePayload: "",
          registrationData: JSON.parse(requestPayload)};
}
"""

KEEPING_COMPLETE = """
function execute(requestPayload, userIdentifier, registrationData) {
  return {status: 2000, user: {id: "kept"}, responsePayload: registrationData};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("keeping")
    realm.idp("keeping", KEEPING_COMPLETE, init=KEEPING_INIT)
    return realm


def assert_json_headers(answer):
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert answer.headers["X-Correlation-Id"]


def test_init_answers_transaction_data_status(service):
    answer = service.init("two", {"status": 2000, "responsePayload": "12349876"})
    assert answer.status_code == 200
    assert_json_headers(answer)
    body = answer.json()
    assert list(body) == ["transaction_id", "data", "status"]
    assert body["data"] == "12349876"
    assert body["status"] == 2000
    assert len(body["transaction_id"]) >= 22


@pytest.mark.parametrize("status", [4000, 4999, 5000, 5999])
def test_init_refused_by_script_has_no_transaction(service, status):
    answer = service.init("two", {"status": status, "responsePayload": "no"})
    assert answer.status_code == 200
    assert_json_headers(answer)
    assert answer.json() == {"status": status, "data": "no"}


def test_complete_two_step(service):
    transaction = service.transaction()
    answer = service.complete(
        "two", success("jane", responsePayload="{\"a\":1}"), transaction)
    assert answer.status_code == 200
    assert_json_headers(answer)
    body = answer.json()
    assert list(body) == ["status", "oauth_token", "data"]
    assert body["status"] == 2000
    assert body["data"] == "{\"a\":1}"
    token = body["oauth_token"]
    assert set(token) == {"token_type", "access_token", "refresh_token",
                          "expires_in"}
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 3600


def test_complete_one_step_without_payload_has_no_data(service):
    body = service.complete("mirror", success()).json()
    assert list(body) == ["status", "oauth_token"]


def test_complete_one_step_ignores_a_transaction(service):
    answer = service.complete("mirror", success(), "not-a-transaction")
    assert answer.status_code == 200
    assert "oauth_token" in answer.json()


@pytest.mark.parametrize("status", [4000, 4999, 5000, 5999])
def test_complete_refused_by_script_has_no_tokens(service, status):
    answer = service.complete(
        "mirror", {"status": status, "responsePayload": "why"})
    assert answer.status_code == 200
    assert_json_headers(answer)
    assert answer.json() == {"status": status, "data": "why"}


@pytest.mark.parametrize("status", [2000, 2999, 4000, 5999])
def test_backchannel(service, status):
    answer = service.backchannel(
        "mirror", {"status": status, "responsePayload": "done"})
    assert answer.status_code == 200
    assert_json_headers(answer)
    assert answer.json() == {"status": status, "data": "done"}


@pytest.mark.parametrize("payload, data", [
    ("", ""), ("text", "text"), ({"a": [1, "b", None]}, '{"a":[1,"b",null]}'),
    (7, "7"), (True, "true"), ([1], "[1]"), ("ü€😀", "ü€😀"),
    ("a\u0000b", "a\u0000b"),
])
def test_response_payload_becomes_data(service, payload, data):
    order = {"status": 2000, "responsePayload": payload}
    assert service.backchannel("mirror", order).json()["data"] == data


def test_arguments_without_data(service):
    answer = service.backchannel("arguments")
    assert json.loads(answer.json()["data"]) == {
        "payload": None, "type": "object", "userIdentifier": None,
        "registrationData": None, "custom": None, "count": 4}


def test_arguments_with_data(service):
    transaction = service.transaction("arguments")
    answer = service.complete("arguments", "plain text", transaction, members={
        "hook_context_custom_params": {"a": ["1", "2"]}})
    seen = json.loads(answer.json()["data"])
    assert seen["payload"] == "plain text"
    assert seen["type"] == "string"
    assert seen["custom"] == {"a": ["1", "2"]}


def test_registration_data_goes_from_init_to_complete(service):
    answer = service.init("keeping", {"nonce": "n-1", "list": [1, {}]})
    assert set(answer.json()) == {"transaction_id", "data", "status"}
    assert "n-1" not in answer.text
    transaction = answer.json()["transaction_id"]
    answer = service.complete("keeping", None, transaction)
    assert json.loads(answer.json()["data"]) == {"nonce": "n-1",
                                                 "list": [1, {}]}


def test_an_empty_body_equals_an_empty_object(service):
    path = "/oauth/custom-registration/two/init"
    answer = service.post(path, data=b"")
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == "challenge"
    answer = service.post(path, data=b"",
                          headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text


def test_unknown_members_are_ignored(service):
    answer = service.complete("mirror", success(), members={"extra": {"x": 1}})
    assert answer.status_code == 200


def test_form_carries_everything(service):
    answer = service.post(
        "/oauth/custom-registration/two/init", client=None,
        data={"client_id": "app", "client_secret": SECRET})
    assert answer.status_code == 200, answer.text
    answer = service.post(
        "/oauth/custom-registration/two/complete", client=None,
        data={"client_id": "app", "client_secret": SECRET,
              "transaction_id": answer.json()["transaction_id"],
              "data": json.dumps(success("form-user")),
              "scope": "write openid"})
    assert answer.status_code == 200, answer.text
    assert "id_token" in answer.json()["oauth_token"]


def test_form_on_the_backchannel(service):
    answer = service.post(
        "/oauth/api/v3/custom-registration/mirror/backchannel", client=None,
        data={"client_id": "backend", "client_secret": SECRET,
              "data": '{"status": 2000, "responsePayload": "ok"}'})
    assert answer.json() == {"status": 2000, "data": "ok"}


def test_correlation_ids_differ_and_none_is_taken_from_strangers(service):
    seen = {service.init("two", headers={"X-Correlation-Id": "mine"})
            .headers["X-Correlation-Id"] for _ in range(3)}
    assert len(seen) == 3
    assert "mine" not in seen


def test_counters_tell_the_outcomes(service):
    name = "postern_registrations_total"
    before = service.metrics()
    service.init("two")
    service.complete("mirror", success())
    service.complete("mirror", {"status": 4000})
    service.complete("mirror", {"status": 5000})
    service.complete("mirror", {"status": 1})
    after = service.metrics()

    def rise(**labels):
        return after.sum(name, **labels) - before.sum(name, **labels)
    assert rise(step="init", outcome="success") == 1
    assert rise(step="complete", outcome="success") == 1
    assert rise(step="complete", outcome="retry") == 1
    assert rise(step="complete", outcome="fail") == 1
    assert rise(step="complete", outcome="script_error") == 1
