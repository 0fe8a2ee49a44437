"""RFC 9068 sections 2 to 4, JWT access tokens, sentence by sentence."""

import time

import pytest

from harness import oauth
from harness.oauth import (AUDIENCE, discovery, grant, introspected, issuer,
                           key_set, refreshed, token, verified)
from harness.sentences import Sentences

JWT_CLIENTS = {"jwt": "RS256", "jwt-es256": "ES256", "jwt-ps256": "PS256"}

rfc = Sentences("RFC 9068")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


def access(service, client="jwt", **options):
    """Header and claims of an access token."""
    return verified(service,
                    grant(service, client, **options)["access_token"])


@rfc("2.1", "MUST be signed; MUST NOT use none as the algorithm")
def is_signed(service):
    for client, algorithm in JWT_CLIENTS.items():
        header, _ = access(service, client)
        assert header["alg"] == algorithm


@rfc("2.1", "the authorization server MUST support RS256")
def rs256(service):
    header, _ = access(service)
    assert header["alg"] == "RS256"


@rfc("2.1", "MUST include this media type in the typ header parameter; "
            "RECOMMENDED that the application/ prefix be omitted: at+jwt")
def typ(service):
    for client in JWT_CLIENTS:
        header, _ = access(service, client)
        assert header["typ"] == "at+jwt"


@rfc("2.2", "iss, exp, aud, sub, client_id, iat, jti REQUIRED")
def required(service):
    before = int(time.time())
    for client in JWT_CLIENTS:
        _, claims = access(service, client, user="jane")
        assert claims["iss"] == issuer(service)
        assert before - 1 <= claims["iat"] <= time.time() + 1
        assert claims["exp"] == claims["iat"] + 3600
        assert claims["sub"] == "mirror|jane"
        assert claims["client_id"] == client
        assert claims["aud"] and claims["jti"]


@rfc("2.2", "sub: where no resource owner is involved, such as the client "
            "credentials grant, an identifier of the client")
def sub_of_a_client(service):
    body = token(service, "jwt", grant_type="client_credentials").json()
    header, claims = verified(service, body["access_token"])
    assert header["typ"] == "at+jwt"
    assert claims["sub"] == claims["client_id"] == "jwt"
    assert "auth_time" not in claims and "amr" not in claims


@rfc("2.2", "jti: unique")
def jti(service):
    found = [access(service)[1]["jti"] for _ in range(20)]
    assert len(set(found)) == 20


@rfc("2.2.1", "auth_time, acr, amr reflect the authentication, and remain the "
              "same for all access tokens of the grant")
def authentication_information(service):
    tokens = grant(service, "jwt", amr=["mfa", "pwd"])
    _, first = verified(service, tokens["access_token"])
    fresh = refreshed(service, tokens["refresh_token"], "jwt")
    _, second = verified(service, fresh["access_token"])
    assert first["amr"] == second["amr"] == ["mfa", "pwd"]
    assert first["auth_time"] == second["auth_time"]


@rfc("2.2.2", "identity claims are for who asks for them: no attribute of the "
              "user lies open in an access token")
def no_attributes(service):
    _, claims = access(service, email="jane@example.com", nonsense={"a": 1})
    assert set(claims) <= {"iss", "exp", "aud", "sub", "client_id", "iat",
                           "jti", "scope", "auth_time", "amr"}


@rfc("2.2.3", "SHOULD include a scope claim")
def scope(service):
    tokens = grant(service, "jwt", ["openid", "write"])
    _, claims = verified(service, tokens["access_token"])
    assert set(claims["scope"].split()) == {"openid", "write"}
    narrow = refreshed(service, tokens["refresh_token"], "jwt", scope="write")
    _, claims = verified(service, narrow["access_token"])
    assert claims["scope"] == "write"


@rfc("3", "If the request does not include a resource parameter, MUST use a "
          "default resource indicator in the aud claim")
def audience(service):
    _, claims = access(service)
    assert claims["aud"] in (issuer(service), [issuer(service)])
    _, claims = access(service, "jwt-api")
    assert claims["aud"] in (AUDIENCE, [AUDIENCE])


@rfc("4", "SHOULD use metadata to advertise the signing keys via jwks_uri and "
          "the iss via issuer")
def metadata(service):
    document = discovery(service,
                         "/.well-known/oauth-authorization-server/oauth")
    header, claims = access(service)
    assert document["issuer"] == claims["iss"]
    assert document["jwks_uri"] == issuer(service) + "/v1/keys"
    assert header["kid"] in [key["kid"] for key in key_set(service)["keys"]]


@rfc("4", "the resource server MUST verify that typ is at+jwt (so no other "
          "JWT of ours says so)")
def nothing_else_is_one(service):
    for client in ("app", "jwt"):
        header, _ = verified(service, grant(service, client)["id_token"])
        assert header.get("typ", "JWT").lower() == "jwt"
    answer = oauth.introspect(
        service, "x", headers={"Accept": oauth.INTROSPECTION_JWT})
    header, _ = verified(service, answer.text)
    assert header["typ"] != "at+jwt"


@rfc("4", "an id_token is no access token at our own endpoints either")
def id_token_is_refused(service):
    text = grant(service, "jwt")["id_token"]
    assert oauth.userinfo(service, text).status_code == 401
    assert introspected(service, text) == {"active": False}


@rfc("4", "The current time MUST be before exp")
def introspection_agrees(service):
    text = grant(service, "jwt")["access_token"]
    _, claims = verified(service, text)
    body = introspected(service, text)
    for name in ("iss", "sub", "client_id", "iat", "exp", "jti"):
        assert body[name] == claims[name]


test_sentence = rfc.test()
