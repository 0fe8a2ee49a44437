"""v2 custom registration: clients that sign (RFC 7523, SPEC 1)."""

import base64
import json
import time

import pytest
from jwcrypto import jwk, jwt

from harness.realm import SECRET
from harness.service import assert_error, success, unique
from harness.standard import standard_realm

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PATH = "/oauth/v2/custom-registration/{}/{}"

EC = jwk.JWK.generate(kty="EC", crv="P-256", kid="ec")
RSA = jwk.JWK.generate(kty="RSA", size=2048, kid="rsa")
STRANGER = jwk.JWK.generate(kty="EC", crv="P-256", kid="ec")


def public(*keys, **members):
    return {"keys": [{**json.loads(key.export_public()), **members}
                     for key in keys]}


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm()
    keys = {"idps": ["mirror", "two"], "default_scopes": ["read"],
            "additional_scopes": ["openid"]}
    realm.client("signer", jwks=public(EC, RSA), **keys)
    realm.client("signer2", jwks=public(EC), **keys)
    realm.client("off-signer", jwks=public(EC), enabled=False, **keys)
    realm.client("rs-only", jwks=public(RSA, alg="RS256"), **keys)
    realm.client("enc-only", jwks=public(EC, use="enc"), **keys)
    realm.client("remote", jwks_uri="https://client.example/jwks", **keys)
    realm.client("keyless", **keys)
    return realm


def assertion(service, key=EC, alg="ES256", client="signer", header=None,
              drop=(), **claims):
    now = int(time.time())
    body = {"iss": client, "sub": client, "aud": service.url + "/oauth",
            "exp": now + 60, "iat": now, "jti": unique("jti"), **claims}
    body = {k: v for k, v in body.items() if k not in drop}
    head = {"alg": alg, "kid": key.get("kid"), **(header or {})}
    head = {k: v for k, v in head.items() if v is not None}
    token = jwt.JWT(header=head, claims=body)
    token.make_signed_token(key)
    return token.serialize()


def complete(service, signed, data=None, step="complete", idp="mirror",
             **members):
    body = {"client_assertion_type": TYPE, "client_assertion": signed,
            "data": json.dumps(data or success()), **members}
    return service.post(PATH.format(idp, step), body, client=None)


@pytest.mark.parametrize("key, alg", [(EC, "ES256"), (RSA, "RS256"),
                                      (RSA, "PS256")])
def test_accepted(service, key, alg):
    answer = complete(service, assertion(service, key, alg),
                      scope=["openid"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["oauth_token"]["id_token"]


def test_two_steps(service):
    answer = complete(service, assertion(service), {"status": 2000},
                      step="init", idp="two")
    assert answer.status_code == 200, answer.text
    answer = complete(service, assertion(service), idp="two",
                      transaction_id=answer.json()["transaction_id"])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("aud", [
    lambda url: [url + "/oauth"], lambda url: ["https://x", url + "/oauth"]])
def test_audience_in_a_list(service, aud):
    signed = assertion(service, aud=aud(service.url))
    assert complete(service, signed).status_code == 200


def bad_claims():
    now = int(time.time())
    return {
        "no iss": {"drop": ["iss"]}, "no sub": {"drop": ["sub"]},
        "no aud": {"drop": ["aud"]}, "no exp": {"drop": ["exp"]},
        "no jti": {"drop": ["jti"]},
        "other iss": {"iss": "app"}, "other sub": {"sub": "app"},
        "iss a list": {"iss": ["signer"], "sub": ["signer"]},
        "other aud": {"aud": "https://elsewhere.example"},
        "aud of the endpoint": {"aud": "ENDPOINT"},
        "aud empty": {"aud": []}, "aud a number": {"aud": 5},
        "expired": {"exp": now - 5},
        "exp far ahead": {"exp": now + 3600 + 120},
        "exp text": {"exp": str(now + 60)}, "exp negative": {"exp": -1},
        "exp huge": {"exp": 1e300},
        "nbf ahead": {"nbf": now + 600}, "iat ahead": {"iat": now + 600},
        "jti empty": {"jti": ""}, "jti a number": {"jti": 7},
        "jti long": {"jti": "x" * 256},
    }


# By name: the times must be those of the test, not of its collection.
@pytest.mark.parametrize("name", bad_claims())
def test_claims_refused(service, name):
    change = bad_claims()[name]
    if change.get("aud") == "ENDPOINT":
        change["aud"] = service.url + PATH.format("mirror", "complete")
    assert complete(service, assertion(service)).status_code == 200
    before = service.executions()
    answer = complete(service, assertion(service, **change))
    assert_error(answer, 400, "invalid_client")
    assert service.executions() == before


@pytest.mark.parametrize("options", [
    {"key": STRANGER}, {"header": {"kid": "other"}}, {"header": {"kid": None}},
    {"header": {"crit": ["b64"], "b64": True}},
    {"client": "off-signer"}, {"client": "enc-only"}, {"client": "keyless"},
    {"client": "remote"}, {"client": unique("nobody")},
    {"client": "rs-only", "key": RSA, "alg": "PS256"},
], ids=str)
def test_keys_refused(service, options):
    assert complete(service, assertion(service)).status_code == 200
    answer = complete(service, assertion(service, **options))
    assert_error(answer, 400, "invalid_client")


def test_jwks_uri_says_why_in_the_log(service):
    answer = complete(service, assertion(service, client="remote"))
    assert_error(answer, 400, "invalid_client")
    entries = service.log_of(answer.headers["X-Correlation-Id"])
    assert any("jwks_uri" in entry.get("reason", "") for entry in entries)


def part(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(service):
    """Tokens that no honest library makes."""
    signed = assertion(service)
    head, body, signature = signed.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    secret = jwk.JWK(kty="oct", k=part(EC.export_to_pem()), kid="ec")
    hmac = jwt.JWT(header={"alg": "HS256", "kid": "ec"}, claims=claims)
    hmac.make_signed_token(secret)
    nested = b'{"alg":"ES256","kid":"ec","a":' + b"[" * 4000 + b"]" * 4000 \
        + b"}"
    return {
        "none": f'{part({"alg": "none", "kid": "ec"})}.{body}.',
        "hmac of the public key": hmac.serialize(),
        "cut": signed[:-2], "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}", "four parts": signed + ".x",
        "padded": f"{head}.{body}.{signature}==",
        "claims changed": f'{head}.{part({**claims, "x": 1})}.{signature}',
        "header twice": ".".join([
            part(b'{"alg":"none","alg":"ES256","kid":"ec"}'), body,
            signature]),
        "nested deeply": f"{part(nested)}.{body}.{signature}",
        "claims nested deeply": f"{head}.{part(nested)}.{signature}",
        "a signature of zeroes": f"{head}.{body}.{part(bytes(64))}",
        "longer R and S": f"{head}.{body}.{part(bytes(66))}",
        "empty": "", "dots": "..", "large": "a" * 9000,
    }


def test_forgeries_refused(service):
    before = service.executions()
    for name, signed in forged(service).items():
        answer = complete(service, signed)
        assert answer.status_code == 400, name
        assert answer.json()["error"] == "invalid_client", name
        # Whoever signs well is not held up by that.
        good = complete(service, assertion(service))
        assert good.status_code == 200, name
        before += 1
    assert service.executions() == before


def test_methods_do_not_mix(service):
    body = {"client_assertion_type": TYPE,
            "client_assertion": assertion(service),
            "data": json.dumps(success())}
    path = PATH.format("mirror", "complete")
    assert_error(service.post(path, body, auth=("app", SECRET)), 400,
                 "invalid_request")
    answer = service.post(path + "?client_assertion=x", body, client=None)
    assert_error(answer, 400, "invalid_request")
    # None of them used the assertion up.
    assert service.post(path, body, client=None).status_code == 200


@pytest.mark.parametrize("members, error", [
    ({}, "invalid_client"),
    ({"client_assertion": "a.b.c"}, "invalid_request"),
    ({"client_assertion_type": TYPE}, "invalid_request"),
    ({"client_assertion_type": "urn:x", "client_assertion": "a.b.c"},
     "invalid_request"),
    ({"client_assertion_type": TYPE, "client_assertion": 5},
     "invalid_request")])
def test_halves(service, members, error):
    answer = service.post(PATH.format("mirror", "complete"), members,
                          client=None)
    assert_error(answer, 400, error)


def test_client_id_beside_it(service):
    answer = complete(service, assertion(service), client_id="signer")
    assert answer.status_code == 200
    answer = complete(service, assertion(service), client_id="app")
    assert_error(answer, 400, "invalid_client")


def test_a_secret_does_not_open_v2(service):
    answer = service.post(PATH.format("mirror", "complete"),
                          {"data": json.dumps(success())})
    assert_error(answer, 400, "invalid_request")


def test_used_once(service):
    signed = assertion(service)
    assert complete(service, signed).status_code == 200
    assert_error(complete(service, signed), 400, "invalid_client")


def test_one_jti_of_two_clients(service):
    jti = unique("jti")
    for client in ("signer", "signer2"):
        signed = assertion(service, client=client, jti=jti)
        assert complete(service, signed).status_code == 200
    again = assertion(service, jti=jti)
    assert_error(complete(service, again), 400, "invalid_client")


def test_used_once_across_a_crash(start, realm):
    service = start(realm)
    signed = assertion(service)
    assert complete(service, signed).status_code == 200
    service.gateway.kill()
    service.restart(service.gateway)
    assert_error(complete(service, signed), 400, "invalid_client")
    assert complete(service, assertion(service)).status_code == 200
