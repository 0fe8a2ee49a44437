"""OpenID Connect Core 1.0 sections 2, 5.3 and 12.2, sentence by sentence."""

import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
import requests

from harness import oauth
from harness.oauth import grant, issuer, refreshed, userinfo, verified
from harness.sentences import Sentences
from harness.service import CALL_SECS

CLIENTS = {"app": "RS256", "es256": "ES256", "jwt-ps256": "PS256"}

core = Sentences("OpenID Connect Core 1.0")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


def id_token(service, client="app", **options):
    """Header and claims."""
    return verified(service, grant(service, client, **options)["id_token"])


@core("2", "iss REQUIRED. A URL that contains scheme, host and optionally "
           "port and path and no query or fragment")
def iss(service):
    _, claims = id_token(service)
    assert claims["iss"] == issuer(service)
    parts = urlsplit(claims["iss"])
    assert parts.scheme in ("https", "http") and parts.netloc
    assert not parts.query and not parts.fragment


@core("2", "sub REQUIRED. Locally unique and never reassigned; MUST NOT "
           "exceed 255 ASCII characters; a case-sensitive string")
def sub(service):
    subjects = [id_token(service, user=user)[1]["sub"]
                for user in ("jane", "JANE", "x" * 248)]
    assert len(set(subjects)) == 3
    assert all(s.isascii() and len(s) <= 255 for s in subjects)


@core("2", "aud REQUIRED. MUST contain the client_id of the Relying Party")
def aud(service):
    for client in CLIENTS:
        _, claims = id_token(service, client)
        assert claims["aud"] in (client, [client])


@core("2", "exp, iat REQUIRED. JSON numbers of seconds")
def times(service):
    before = int(time.time())
    _, claims = id_token(service)
    assert isinstance(claims["iat"], int) and isinstance(claims["exp"], int)
    assert before - 1 <= claims["iat"] <= time.time() + 1
    assert claims["exp"] == claims["iat"] + 3600


@core("2", "auth_time: time when the end-user authentication occurred; a JSON "
           "number")
def auth_time(service):
    _, claims = id_token(service)
    assert isinstance(claims.get("auth_time", 0), int)
    assert claims.get("auth_time", 0) <= claims["iat"]


@core("2", "nonce: if present in the Authentication Request (there is none)")
def nonce(service):
    _, claims = id_token(service, nonce="forged")
    assert "nonce" not in claims


@core("2", "amr: a JSON array of case-sensitive strings")
def amr(service):
    _, claims = id_token(service, amr=["mfa", "PWD"])
    assert claims["amr"] == ["mfa", "PWD"]
    assert "amr" not in id_token(service)[1]


@core("2", "azp: if present, it MUST contain the OAuth 2.0 Client ID")
def azp(service):
    _, claims = id_token(service)
    assert claims.get("azp", "app") == "app"


@core("2", "MAY contain other claims")
def other_claims(service):
    _, claims = id_token(service, given_name="Jane", nested={"ü": [1, None]})
    assert claims["given_name"] == "Jane"
    assert claims["nested"] == {"ü": [1, None]}


@core("2", "MUST be signed using JWS; MUST NOT use none as the alg value")
def is_signed(service):
    for client, algorithm in CLIENTS.items():
        header, _ = id_token(service, client)
        assert header["alg"] == algorithm


@core("2", "SHOULD NOT use the JWS x5u, x5c, jku or jwk Header Parameter "
           "fields")
def no_keys_in_the_header(service):
    header, _ = id_token(service)
    assert not {"x5u", "x5c", "jku", "jwk"} & set(header)


@core("3.1.3.6", "at_hash: left half of the hash of the access token")
def at_hash(service):
    for client in CLIENTS:
        tokens = grant(service, client)
        _, claims = verified(service, tokens["id_token"])
        half = sha256(tokens["access_token"].encode()).digest()[:16]
        expected = urlsafe_b64encode(half).rstrip(b"=").decode()
        assert claims.get("at_hash", expected) == expected


@core("5.3", "The UserInfo Endpoint MUST support the use of the HTTP GET and "
             "POST methods")
def get_and_post(service):
    text = grant(service)["access_token"]
    answers = [userinfo(service, text, method) for method in ("GET", "POST")]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    for method in ("PUT", "DELETE"):
        assert userinfo(service, text, method).status_code == 405


@core("5.3", "MUST accept Access Tokens as OAuth 2.0 Bearer Token Usage")
def bearer(service):
    for client in ("app", "jwt"):
        text = grant(service, client)["access_token"]
        assert userinfo(service, text).status_code == 200


@core("5.3.2", "the claims MUST be returned as the members of a JSON object; "
               "the content type MUST be application/json")
def json_object(service):
    answer = userinfo(service, grant(service, given_name="J",
                                     nested={"a": [1]})["access_token"])
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["given_name"] == "J"
    assert answer.json()["nested"] == {"a": [1]}


@core("5.3.2", "sub MUST always be returned in the UserInfo Response")
def sub_always(service):
    text = grant(service, user="jane")["access_token"]
    assert userinfo(service, text).json()["sub"] == "mirror|jane"


@core("5.3.2", "sub MUST be verified to exactly match the sub in the ID Token")
def same_sub(service):
    for client in CLIENTS:
        tokens = grant(service, client)
        _, claims = verified(service, tokens["id_token"])
        body = userinfo(service, tokens["access_token"]).json()
        assert body["sub"] == claims["sub"]


@core("5.3.2", "no protocol claim stands among the user's")
def no_protocol_claims(service):
    body = userinfo(service, grant(
        service, sub="forged", iss="forged", exp=1,
        email="j@example.com")["access_token"]).json()
    assert body["email"] == "j@example.com"
    assert body["sub"].startswith("mirror|")
    assert not {"iss", "exp", "iat", "aud"} & set(body)


@core("5.3.3", "errors as in section 3 of OAuth 2.0 Bearer Token Usage "
               "(test_rfc_6750.py)")
def errors(service):
    answer = userinfo(service, "x")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@core("12.2", "the ID Token of a refresh: same iss, sub and aud; iat of the "
              "new one; auth_time of the original; no nonce")
def refreshed_id_token(service):
    tokens = grant(service, amr=["mfa"], given_name="Jane")
    _, first = verified(service, tokens["id_token"])
    fresh = refreshed(service, tokens["refresh_token"])
    _, second = verified(service, fresh["id_token"])
    for name in ("iss", "sub", "aud", "amr", "given_name"):
        assert first[name] == second[name]
    assert second["iat"] >= first["iat"]
    assert second["exp"] == second["iat"] + 3600
    assert "nonce" not in second
    assert first.get("auth_time") == second.get("auth_time")
    assert first.get("azp") == second.get("azp")


@core("10.1.1", "rotation: the key set is found again by kid")
def kid(service):
    kids = {key["kid"] for key in oauth.key_set(service)["keys"]}
    for client in CLIENTS:
        assert id_token(service, client)[0]["kid"] in kids


@core("Discovery 4.1", "metadata at issuer + /.well-known/"
                       "openid-configuration")
def discovery(service):
    answer = requests.get(
        issuer(service) + "/.well-known/openid-configuration",
        timeout=CALL_SECS)
    assert answer.status_code == 200
    assert answer.json()["issuer"] == issuer(service)


test_sentence = core.test()
