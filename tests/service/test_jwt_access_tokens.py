"""JWT access tokens (RFC 9068)."""

import base64
import hashlib
import json
import time

import pytest

from harness.tokens import (grant, introspect, is_active, let_time_pass,
                            refreshed, revoke, token_realm, userinfo, verified)


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def test_header_and_claims(service):
    """2.1 and 2.2: typ, a signature, and the required claims."""
    tokens = grant(service, "jwt", amr=["mfa"], name="Jane")
    header, claims = verified(service, tokens["access_token"])
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "RS256" and header["kid"]
    assert abs(claims.pop("iat") - time.time()) < 10
    assert abs(claims.pop("auth_time") - time.time()) < 10
    assert 3590 < claims.pop("exp") - time.time() <= 3600
    assert len(claims.pop("jti")) == 16
    assert claims == {
        "iss": service.url + "/oauth", "aud": service.url + "/oauth",
        "sub": "mirror|jane", "client_id": "jwt", "scope": "read openid",
        "amr": ["mfa"]}
    assert tokens["expires_in"] == 3600


@pytest.mark.parametrize("client, algorithm, audience", [
    ("jwt-es256", "ES256", "https://api.example"),
    ("jwt-two", "RS256", ["https://a.example", "https://b.example"])])
def test_audience_and_algorithm(service, client, algorithm, audience):
    """3: aud is the resource's identifier."""
    token = grant(service, client)["access_token"]
    _, claims = verified(service, token, algorithm)
    assert claims["aud"] == audience


def test_jti_is_unique(service):
    tokens = [grant(service, "jwt")["access_token"] for _ in range(10)]
    assert len({verified(service, t)[1]["jti"] for t in tokens}) == 10


def test_introspection(service):
    token = grant(service, "jwt", name="Jane")["access_token"]
    _, claims = verified(service, token)
    told = introspect(service, token)
    for member in ("iss", "sub", "client_id", "scope", "jti", "exp", "iat"):
        assert told[member] == claims[member], member
    assert told["user_details"] == {"name": "Jane"}


def test_refresh_narrows_scope(service):
    tokens = grant(service, "jwt")
    _, first = verified(service, tokens["access_token"])
    new = refreshed(service, tokens["refresh_token"], "jwt", scope="read")
    _, claims = verified(service, new["access_token"])
    assert claims["scope"] == "read"
    assert claims["auth_time"] == first["auth_time"]
    assert claims["jti"] != first["jti"]
    assert introspect(service, new["access_token"])["scope"] == "read"


def test_at_hash_is_the_jwts(service):
    tokens = grant(service, "jwt")
    _, claims = verified(service, tokens["id_token"])
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(
        half).rstrip(b"=").decode()


def test_revocation_of_the_family(service):
    tokens = grant(service, "jwt")
    assert revoke(service, tokens["refresh_token"], "jwt").status_code == 200
    assert not is_active(service, tokens["access_token"])
    assert userinfo(service, tokens["access_token"]).status_code == 401


def part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forgeries(token):
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    flipped = ("A" if signature[10] != "A" else "B")
    return {
        "alg none": f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "another signature":
            f"{header}.{payload}.{signature[:10]}{flipped}{signature[11:]}",
        "more scope": "%s.%s.%s" % (
            header, part({**claims, "scope": "read write"}), signature),
        "another header": f"{part({'alg': 'HS256'})}.{payload}.{signature}",
        "a fourth part": token + ".x",
        "jti a number": f"{header}.{part({**claims, 'jti': 1})}.{signature}",
        "no object": f"{header}.{part([1])}.{signature}",
        "deep": f"{header}.{part(b'[' * 3000)}.{signature}",
        "no JSON": f"{header}.{part(b'{')}.{signature}",
        "no base64url": f"{header}.$$$$.{signature}"}


def test_forgeries(service):
    """4: the resource server MUST validate; alg none MUST be rejected."""
    token = grant(service, "jwt")["access_token"]
    assert is_active(service, token)
    for name, forged in forgeries(token).items():
        assert not is_active(service, forged), name
        assert userinfo(service, forged).status_code == 401, name


def test_expiry_and_restart(start):
    service = start(token_realm())
    token = grant(service, "jwt")["access_token"]
    let_time_pass(service, 10)
    assert is_active(service, token)
    let_time_pass(service, 3600)
    assert not is_active(service, token)
