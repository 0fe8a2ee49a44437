"""Tokens: format, lifetimes, the id_token and its claims (SPEC 2)."""

import base64
import hashlib
import json
import re
import sqlite3
import time

import pytest
import requests
from jwcrypto import jwk, jwt

from harness.service import assert_error, success
from harness.standard import MIRROR, standard_realm

OPAQUE = re.compile(r"^[0-9A-F]{64}$")

RESERVED = ("iss sub aud exp iat nbf jti azp nonce auth_time acr at_hash "
            "c_hash client_id scope active token_type username cnf sid").split()


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("prefixed", "bare", "mapped")
    realm.settings(shared_subjects=True)
    realm.idp("prefixed", MIRROR, subject_prefix="acme:")
    realm.idp("bare", MIRROR, subject_prefix="")
    realm.idp("mapped", MIRROR, attribute_mapping={
        "firstName": "given_name", "who": "sub", "mail": "email"})
    return realm


def grant(service, idp="mirror", user="jane", scope=("openid",), client="app",
          **attributes):
    result = {"status": 2000, "user": {"id": user, **attributes}}
    answer = service.complete(idp, result, client=client,
                              members={"scope": list(scope)})
    assert answer.status_code == 200, answer.text
    return answer.json()["oauth_token"]


def key_set(service):
    answer = requests.get(service.url + "/oauth/v1/keys", timeout=20)
    assert answer.status_code == 200
    return answer


def claims(service, token, algorithms=("RS256",)):
    keys = jwk.JWKSet.from_json(key_set(service).text)
    verified = jwt.JWT(jwt=token, key=keys, algs=list(algorithms))
    return json.loads(verified.header), json.loads(verified.claims)


def test_opaque_tokens_look_like_the_seeds(service):
    tokens = [grant(service) for _ in range(20)]
    access = [t["access_token"] for t in tokens]
    refresh = [t["refresh_token"] for t in tokens]
    assert all(OPAQUE.match(t) for t in access + refresh)
    assert len(set(access + refresh)) == 40
    # Rows in a row do not look it: the number is permuted under a key.
    fronts = sorted(int(t[:16], 16) for t in access + refresh)
    assert len(set(fronts)) == 40
    assert max(fronts) - min(fronts) > 1 << 56


def test_lifetime_is_the_clients(service):
    assert grant(service, client="short")["expires_in"] == 60
    assert grant(service)["expires_in"] == 3600


def test_no_refresh_token_where_disabled(service):
    assert "refresh_token" not in grant(service, client="no-refresh")


def test_no_refresh_token_for_stateless(service):
    members = {"grant_type": "urn:onewelcome:oauth2:grant_type:"
                             "stateless_authentication"}
    answer = service.complete("mirror", success(), client="stateless",
                              members=members)
    assert answer.status_code == 200, answer.text
    assert "refresh_token" not in answer.json()["oauth_token"]


def test_no_id_token_without_openid(service):
    assert "id_token" not in grant(service, scope=["read", "write"])
    body = service.complete("mirror", success()).json()
    assert "id_token" not in body["oauth_token"]


def test_empty_scope_means_the_defaults(service):
    answer = service.complete("mirror", success(), members={"scope": []})
    assert answer.status_code == 200
    assert "id_token" not in answer.json()["oauth_token"]


@pytest.mark.parametrize("client, algorithm", [("app", "RS256"),
                                               ("es256", "ES256")])
def test_id_token_verifies_against_the_key_set(service, client, algorithm):
    before = int(time.time())
    token = grant(service, client=client, firstName="Jane",
                  nested={"a": [1, None, "ü"]}, amr=["mfa", "pwd"])["id_token"]
    header, body = claims(service, token, [algorithm])
    assert header["alg"] == algorithm
    assert header["kid"]
    assert body["iss"] == service.url + "/oauth"
    assert body["sub"] == "mirror|jane"
    assert body["aud"] in (client, [client])
    assert before <= body["iat"] <= time.time() + 1
    assert body["exp"] == body["iat"] + 3600
    assert body["amr"] == ["mfa", "pwd"]
    assert body["firstName"] == "Jane"
    assert body["nested"] == {"a": [1, None, "ü"]}
    assert "id" not in body


def test_key_set_is_public(service):
    answer = key_set(service)
    assert answer.headers["Content-Type"].startswith("application/json")
    keys = answer.json()["keys"]
    assert {key["kty"] for key in keys} == {"RSA", "EC"}
    for key in keys:
        assert key["kid"] and key["use"] == "sig"
        assert key["alg"] in ("RS256", "ES256", "PS256")
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


def test_keys_survive_a_restart(start):
    service = start(standard_realm())
    token = grant(service)["id_token"]
    service.gateway.kill()
    service.restart(service.gateway)
    claims(service, token)


@pytest.mark.parametrize("name", RESERVED)
def test_a_script_sets_no_protocol_claim(service, name):
    answer = service.complete(
        "mirror", {"status": 2000, "user": {"id": "jane", name: "forged"}},
        members={"scope": ["openid"]})
    assert answer.status_code == 200, answer.text
    token = answer.json()["oauth_token"]["id_token"]
    _, body = claims(service, token)
    assert body.get(name) != "forged"
    assert body["sub"] == "mirror|jane"


def test_the_reserved_filter_comes_after_the_mapping(service):
    token = grant(service, "mapped", firstName="Jane", who="admin",
                  mail="j@example.com", unmapped="x")["id_token"]
    _, body = claims(service, token)
    assert body["given_name"] == "Jane"
    assert body["email"] == "j@example.com"
    assert body["sub"] == "mapped|jane"
    assert "unmapped" not in body and "firstName" not in body


def test_subject_prefix(service):
    _, body = claims(service, grant(service, "prefixed")["id_token"])
    assert body["sub"] == "acme:jane"
    _, body = claims(service, grant(service, "bare")["id_token"])
    assert body["sub"] == "jane"


def bad_users():
    return {
        "no user": {"status": 2000},
        "null": {"status": 2000, "user": None},
        "no id": {"status": 2000, "user": {"name": "x"}},
        "empty id": {"status": 2000, "user": {"id": ""}},
        "number": {"status": 2000, "user": {"id": 7}},
        "control": {"status": 2000, "user": {"id": "a\nb"}},
        "not ASCII": {"status": 2000, "user": {"id": "jané"}},
        "too long": {"status": 2000, "user": {"id": "x" * 249}},
        "amr a string": {"status": 2000, "user": {"id": "x", "amr": "pwd"}},
        "amr of numbers": {"status": 2000, "user": {"id": "x", "amr": [1]}},
        "user over 8 KiB": {"status": 2000,
                            "user": {"id": "x", "a": "y" * 9000}},
        "user too deep": {"status": 2000, "user": {
            "id": "x", "a": json.loads("[" * 12 + "]" * 12)}},
    }


@pytest.mark.parametrize("result", bad_users().values(), ids=bad_users().keys())
def test_no_valid_user_no_tokens(service, result):
    answer = service.complete("mirror", result)
    assert_error(answer, 500, "internal_server_error")
    assert service.failure_of(answer)["code"] in (3004, "3004", "bad_result")


def test_the_longest_subject(service):
    user = "x" * (255 - len("mirror|"))
    _, body = claims(service, grant(service, user=user)["id_token"])
    assert body["sub"] == "mirror|" + user


def test_a_subject_equal_to_a_client_id_is_refused(service):
    answer = service.complete("bare", success("other"))
    assert_error(answer, 500, "internal_server_error")


def test_at_hash_fits_when_there_is_one(service):
    token = grant(service)
    _, body = claims(service, token["id_token"])
    if "at_hash" in body:
        digest = hashlib.sha256(token["access_token"].encode()).digest()
        half = base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
        assert body["at_hash"] == half


def test_profile_bound_to_one_user_of_a_client(service):
    members = {"profile_id": "ABC123"}
    first = service.complete("two", success("p-one"), service.transaction(
        client="takes-profile"), client="takes-profile", members=members)
    assert first.status_code == 200, first.text
    transaction = service.transaction(client="takes-profile")
    answer = service.complete("two", success("p-two"), transaction,
                              client="takes-profile", members=members)
    assert_error(answer, 400, "invalid_profile")
    answer = service.complete("two", success("p-one"), transaction,
                              client="takes-profile", members=members)
    assert_error(answer, 400, "invalid_transaction")


def test_the_database_has_hashes_only(service):
    token = grant(service)
    secrets = [token["access_token"], token["refresh_token"],
               token["id_token"]]
    for path in service.data_dir.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, path
            if OPAQUE.match(secret):
                assert bytes.fromhex(secret)[8:] not in content, path


def test_the_store_is_in_order(service):
    grant(service)
    files = [path for path in service.data_dir.iterdir() if path.is_file()
             and path.read_bytes()[:15] == b"SQLite format 3"]
    assert len(files) == 1
    with sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True) as database:
        assert database.execute("pragma integrity_check").fetchone()[0] == "ok"
        assert database.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert files[0].stat().st_mode & 0o077 == 0
