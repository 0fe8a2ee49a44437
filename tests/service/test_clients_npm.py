"""openid-client, oauth4webapi and jose, as npm has them and with their default
strictness, live a token's whole life with the gateway."""

import base64
import json

import pytest

from harness import npm, oauth
from harness.oauth import AUDIENCE, grant, issuer
from harness.realm import SECRET


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


@pytest.fixture(scope="module", autouse=True)
def installed():
    npm.install()


def given(service, client, **more):
    tokens = grant(service, client, ["openid", "write"], given_name="Jane")
    return {"issuer": issuer(service), "client_id": client, "secret": SECRET,
            "api_client_id": "inspector",
            "refresh_token": tokens["refresh_token"], **more}


def assert_life(service, seen, client):
    """What every client library must have seen."""
    claims = seen["claims"]
    assert seen["issuers"] == [issuer(service)] * 2
    assert claims["aud"] in (client, [client])
    assert claims["given_name"] == "Jane"
    assert seen["userinfo"]["sub"] == claims["sub"]
    assert seen["userinfo"]["given_name"] == "Jane"
    introspection = seen["introspection"]
    assert introspection["active"] is True
    assert introspection["sub"] == claims["sub"]
    assert introspection["client_id"] == client
    assert set(introspection["scope"].split()) == {"openid", "write"}
    after = seen["after"]
    assert after["introspection"]["active"] is False
    assert after["userinfo"] == "invalid_token"
    assert after["refresh"] == "invalid_grant"


@pytest.mark.parametrize("client", ["app", "es256", "jwt", "jwt-ps256"])
def test_openid_client(service, client):
    key = json.loads(oauth.CLIENT_KEY.export())
    seen = npm.run("openid_client", given(
        service, client, keyed_client_id="keyed",
        key={k: v for k, v in key.items() if k not in ("use", "alg")}))
    assert_life(service, seen, client)
    assert seen["rotated"] == 3
    assert 3500 < seen["expires_in"] <= 3600
    assert "OAUTH" in seen["wrong_subject"], seen["wrong_subject"]
    assert seen["keyed"]["scope"] == "read" or "scope" not in seen["keyed"]


@pytest.mark.parametrize("client, algorithm, audience", [
    ("app", "RS256", None), ("es256", "ES256", None),
    ("jwt", "RS256", "issuer"), ("jwt-es256", "ES256", "issuer"),
    ("jwt-ps256", "PS256", "issuer"), ("jwt-api", "RS256", AUDIENCE)])
def test_oauth4webapi(service, client, algorithm, audience):
    audience = issuer(service) if audience == "issuer" else audience
    seen = npm.run("oauth4webapi", given(
        service, client, id_token_alg=algorithm, audience=audience,
        machine_client_id="machine"))
    assert_life(service, seen, client)
    assert seen["machine"]["token_type"].lower() == "bearer"
    signed = seen["signed_introspection"]
    assert signed["type"].startswith("application/token-introspection+jwt")
    for name in ("active", "sub", "client_id", "scope", "exp"):
        assert signed[name] == seen["introspection"][name]
    if audience:
        assert seen["access_claims"]["sub"] == seen["claims"]["sub"]
        assert seen["access_claims"]["client_id"] == client
        assert "OAUTH" in seen["wrong_audience"]


def flipped(text, part):
    """The JWT with one bit of its header, claims or signature turned."""
    parts = text.split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return ".".join(parts)


def test_jose(service):
    tokens = {client: grant(service, client) for client in
              ("app", "es256", "jwt", "jwt-es256", "jwt-ps256")}
    good = [{"token": t["id_token"], "issuer": issuer(service),
             "audience": client} for client, t in tokens.items()]
    good += [{"token": tokens[client]["access_token"], "typ": "at+jwt",
              "issuer": issuer(service), "audience": issuer(service),
              "algorithms": [algorithm],
              "requiredClaims": ["sub", "jti", "client_id", "iat", "exp"]}
             for client, algorithm in (("jwt", "RS256"), ("jwt-es256", "ES256"),
                                       ("jwt-ps256", "PS256"))]
    bad = [{**good[-1], "token": flipped(good[-1]["token"], part)}
           for part in (1, 2)]
    bad.append({**good[0], "audience": "somebody else"})
    bad.append({**good[0], "issuer": issuer(service) + "/"})
    bad.append({**good[0], "typ": "at+jwt"})
    seen = npm.run("jose", {"jwks_uri": service.url + "/oauth/v1/keys",
                            "tokens": good + bad})
    for result in seen[:len(good)]:
        assert "payload" in result, result
    for result in seen[len(good):]:
        assert result["error"].startswith("ERR_J"), result
