"""Client authentication by Basic and by form (SPEC 1)."""

import base64
import json
import threading

import pytest

from harness.realm import SECRET
from harness.service import assert_error, success, unique
from harness.standard import standard_realm

COMPLETE = "/oauth/custom-registration/mirror/complete"

# Every byte that Basic and forms must carry through escapes.
ODD_SECRET = "a:b%c+d e&f=g/ü€\"'\\"


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm()
    keys = {"idps": ["mirror"], "default_scopes": ["read"]}
    realm.client("odd.id_~-", client_secret={"plain": ODD_SECRET}, **keys)
    realm.client("generated", client_secret=None, **keys)
    generated = {"client_id": "generated", **keys}
    realm.document("clients/generated.yaml", generated)
    return realm


def percent(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


def basic(identity, secret):
    pair = f"{identity}:{secret}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def call(service, headers=None, body=None, path=COMPLETE, **options):
    return service.post(path, body or {"data": json.dumps(success())},
                        client=None, headers=headers, **options)


@pytest.mark.parametrize("headers", [
    basic("app", SECRET), basic(percent("app"), percent(SECRET)),
    basic("odd.id_~-", percent(ODD_SECRET)),
    {"Authorization": "basic " + basic("app", SECRET)["Authorization"][6:]},
    {"Authorization": "BASIC " + basic("app", SECRET)["Authorization"][6:]},
])
def test_basic_accepted(service, headers):
    answer = call(service, headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("value", [
    "Basic", "Basic ", "Basic !!!!", "Basic YXBw", "Basic YXBwOg==",
    "Bearer abc", "Digest username=app", "Basic " + "A" * 4000,
    "Basic " + base64.b64encode(b"app:%zz").decode(),
    "Basic " + base64.b64encode(b"app:%").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
    "Basic " + base64.b64encode(b"app\x00:x").decode(),
    "Basic " + base64.b64encode(b":").decode(),
])
def test_basic_refused(service, value):
    before = service.executions()
    answer = call(service, {"Authorization": value})
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_client", "invalid_request")
    assert service.executions() == before


def test_the_typo_of_the_seeds_does_not_count(service):
    value = basic("app", SECRET)["Authorization"]
    assert_error(call(service, {"Authentication": value}), 400,
                 "invalid_client")


def test_form_accepted_with_odd_secret(service):
    answer = service.post(COMPLETE, client=None, data={
        "client_id": "odd.id_~-", "client_secret": ODD_SECRET,
        "data": json.dumps(success())})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("fields", [
    {}, {"client_id": "app"}, {"client_secret": SECRET},
    {"client_id": "app", "client_secret": "wrong"}])
def test_form_refused(service, fields):
    answer = service.post(COMPLETE, client=None, data={"data": "{}", **fields})
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_client", "invalid_request")


def test_two_methods_at_once(service):
    answer = service.post(COMPLETE, data={
        "client_id": "app", "client_secret": SECRET,
        "data": json.dumps(success())})
    assert_error(answer, 400, "invalid_request")


@pytest.mark.parametrize("query", [
    f"client_id=app&client_secret={SECRET}", f"client_secret={SECRET}",
    "client_id=app", "x=1&client%5Fsecret=abc"])
def test_credentials_in_the_query(service, query):
    answer = service.post(f"{COMPLETE}?{query}", {"data": "{}"})
    assert_error(answer, 400, "invalid_request")


def test_a_form_field_twice(service):
    answer = service.post(
        COMPLETE, client=None,
        data=f"client_id=app&client_id=app&client_secret={SECRET}",
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert_error(answer, 400, "invalid_request")


@pytest.mark.parametrize("body", ["client_id=%zz", "client_id=%ff&a=b", "a=%"])
def test_a_broken_form(service, body):
    answer = service.post(
        COMPLETE, client=None, data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert_error(answer, 400, "invalid_request")


def test_unknown_wrong_and_disabled_look_alike(service):
    answers = [call(service, basic(identity, "wrong"))
               for identity in ("app", unique("nobody"), "disabled")]
    answers.append(call(service, basic("disabled", SECRET)))
    assert len({(a.status_code, a.text) for a in answers}) == 1
    names = [sorted(a.headers) for a in answers]
    assert all(n == names[0] for n in names)


def test_a_client_without_secret_gets_one_written_once(service):
    files = [path for path in (service.data_dir / "secrets").iterdir()
             if "generated" in path.name]
    assert len(files) == 1
    assert files[0].stat().st_mode & 0o777 == 0o600
    secret = files[0].read_text().strip()
    assert len(secret) >= 43
    assert call(service, basic("generated", secret)).status_code == 200
    assert secret not in service.gateway.log_text()


def test_a_success_is_not_locked_out_by_failures(service):
    """Guesses from the same source, beyond every throttle, at once: who
    succeeded there before is exempt (test_throttle.py has the rest)."""
    assert call(service, basic("takes-profile", SECRET)).status_code == 200

    def guess():
        call(service, basic("takes-profile", "wrong"))
    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    answer = call(service, basic("takes-profile", SECRET))
    for thread in threads:
        thread.join()
    assert answer.status_code == 200


def test_authentications_are_counted(service):
    name = "postern_client_auth_total"
    before = service.metrics().sum(name)
    call(service, basic("app", SECRET))
    call(service, basic("app", "wrong"))
    assert service.metrics().sum(name) == before + 2
