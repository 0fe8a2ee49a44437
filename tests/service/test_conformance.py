"""Checks of the OpenID Foundation's conformance suite that apply where there
is no /authorize, by the names that its conditions have there."""

import base64
import json
import math
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
import requests

from harness import oauth
from harness.oauth import (discovery, grant, introspect, issuer, key_set,
                           refresh, refreshed, revoke, token, userinfo,
                           verified)
from harness.service import CALL_SECS

ASYMMETRIC = {"RS256", "ES256", "PS256"}


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


@pytest.fixture(params=["app", "es256", "jwt", "jwt-ps256"])
def client(request):
    return request.param


@pytest.fixture
def metadata(service):
    return discovery(service)


# -- discovery ----------------------------------------------------------------

@pytest.mark.parametrize("path", [
    "/oauth/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/oauth"])
def test_discovery_response(service, path):
    """EnsureDiscoveryEndpointResponseStatusCodeIs200,
    EnsureContentTypeJson, CheckDiscEndpointDiscoveryUrl"""
    answer = requests.get(service.url + path, timeout=CALL_SECS)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert isinstance(answer.json(), dict)


def test_check_disc_endpoint_issuer(service, metadata):
    assert metadata["issuer"] == issuer(service)


def test_the_two_documents_agree(service, metadata):
    other = discovery(service, "/.well-known/oauth-authorization-server/oauth")
    assert other == metadata


def endpoints(metadata):
    return {name: url for name, url in metadata.items()
            if name.endswith("_endpoint") or name == "jwks_uri"}


def test_check_disc_endpoint_all_endpoints_are_reachable(service, metadata):
    """CheckDiscEndpointAllEndpointsAreHttps (http for this loopback),
    CheckDiscEndpointTokenEndpoint, CheckDiscEndpointUserinfoEndpoint..."""
    found = endpoints(metadata)
    assert {"token_endpoint", "userinfo_endpoint", "revocation_endpoint",
            "introspection_endpoint", "jwks_uri"} == set(found)
    for url in found.values():
        assert url.startswith(service.public_url + "/")
        assert not urlsplit(url).query and not urlsplit(url).fragment
        answer = requests.get(url, timeout=CALL_SECS)
        assert answer.status_code != 404, url


def test_no_dishonest_members(metadata):
    """Nothing that points to what is not there."""
    for name in ("authorization_endpoint", "registration_endpoint",
                 "end_session_endpoint", "check_session_iframe",
                 "device_authorization_endpoint"):
        assert name not in metadata
    assert metadata["response_types_supported"] == []


@pytest.mark.parametrize("name, expected", [
    ("subject_types_supported", {"public"}),
    ("id_token_signing_alg_values_supported", ASYMMETRIC),
    ("grant_types_supported", {"refresh_token", "client_credentials"}),
])
def test_check_disc_endpoint_values(metadata, name, expected):
    """CheckDiscEndpointSubjectTypesSupported,
    CheckDiscEndpointIdTokenSigningAlgValuesSupported,
    CheckDiscEndpointGrantTypesSupported"""
    assert set(metadata[name]) == expected


def test_check_disc_endpoint_scopes_supported_contains_openid(metadata):
    assert "openid" in metadata["scopes_supported"]


def test_check_token_endpoint_auth_methods(metadata):
    """EnsureServerConfigurationSupportsClientSecretBasic, ...Post"""
    methods = set(metadata["token_endpoint_auth_methods_supported"])
    assert {"client_secret_basic", "client_secret_post"} <= methods
    assert "none" not in methods
    if "private_key_jwt" in methods:
        algorithms = metadata["token_endpoint_auth_signing_alg_values_"
                              "supported"]
        assert set(algorithms) <= ASYMMETRIC


def test_parameters_that_are_not_supported(metadata):
    """CheckDiscEndpointClaimsParameterSupported,
    CheckDiscEndpointRequestUriParameterSupported"""
    for name in ("claims_parameter_supported", "request_parameter_supported",
                 "request_uri_parameter_supported"):
        assert not metadata.get(name, name.startswith("request_uri"))


# -- keys ---------------------------------------------------------------------

def test_fetch_server_keys(service, metadata):
    """CheckJwksUri, FetchServerKeys, ValidateServerJWKs"""
    keys = requests.get(metadata["jwks_uri"], timeout=CALL_SECS).json()["keys"]
    assert keys
    for key in keys:
        if key["kty"] == "RSA":
            assert len(base64.urlsafe_b64decode(key["n"] + "==")) >= 256
            assert key["e"] == "AQAB"
        else:
            assert key["kty"] == "EC" and key["crv"] == "P-256"
            assert len(key["x"]) == len(key["y"]) == 43


def test_ensure_server_jwks_does_not_contain_private_or_symmetric_keys(service):
    for key in key_set(service)["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(key)
        assert key["kty"] != "oct"


def test_check_for_key_id_in_server_jwks(service):
    """CheckForKeyIdInServerJWKs, CheckDistinctKeyIdValueInServerJWKs"""
    kids = [key["kid"] for key in key_set(service)["keys"]]
    assert len(set(kids)) == len(kids) and all(kids)


def test_validate_server_jwks_use_and_alg(service, metadata):
    algorithms = {key["alg"] for key in key_set(service)["keys"]}
    assert set(metadata["id_token_signing_alg_values_supported"]) <= algorithms
    assert all(key["use"] == "sig" for key in key_set(service)["keys"])


# -- id_token -----------------------------------------------------------------

def test_validate_id_token(service, client):
    """ValidateIdToken, ValidateIdTokenSignature,
    ValidateIdTokenSignatureUsingKid, EnsureIdTokenContainsKid,
    CheckForSubjectInIdToken"""
    header, claims = verified(service, grant(service, client)["id_token"])
    assert header["kid"]
    assert claims["iss"] == issuer(service)
    assert claims["aud"] in (client, [client])
    assert claims["sub"] and len(claims["sub"]) <= 255
    assert claims["exp"] > claims["iat"]


def test_validate_id_token_standard_claims(service):
    standard = {"name": "Jane Doe", "given_name": "Jane",
                "email": "jane@example.com", "email_verified": True,
                "address": {"country": "NL"}, "updated_at": 1700000000,
                "phone_number": "+31 20 000 0000", "locale": "nl-NL"}
    tokens = grant(service, **standard)
    _, claims = verified(service, tokens["id_token"])
    told = userinfo(service, tokens["access_token"]).json()
    for name, value in standard.items():
        assert claims[name] == told[name] == value


# -- userinfo (oidcc-userinfo-get, -post-header, -post-body) ------------------

@pytest.mark.parametrize("way", ["get", "post-header", "post-body"])
def test_oidcc_userinfo(service, client, way):
    """CallUserInfoEndpoint, EnsureUserInfoContainsSub,
    VerifyUserInfoAndIdTokenHaveSameSub, ValidateUserInfoStandardClaims"""
    tokens = grant(service, client)
    text = tokens["access_token"]
    answer = {
        "get": lambda: userinfo(service, text),
        "post-header": lambda: userinfo(service, text, "POST"),
        "post-body": lambda: userinfo(service, method="POST",
                                      data={"access_token": text}),
    }[way]()
    assert answer.status_code == 200, answer.text
    _, claims = verified(service, tokens["id_token"])
    assert answer.json()["sub"] == claims["sub"]


# -- token answers ------------------------------------------------------------

def test_token_endpoint_response(service, client):
    """CheckIfTokenEndpointResponseError, CheckTokenTypeIsBearer,
    CheckForAccessTokenValue, ValidateExpiresIn, CheckForRefreshTokenValue"""
    body = refreshed(service, grant(service, client)["refresh_token"], client)
    assert "error" not in body
    assert body["token_type"].lower() == "bearer"
    assert body["access_token"] and body["refresh_token"] and body["id_token"]
    assert isinstance(body["expires_in"], int) and body["expires_in"] > 0


def entropy_bits(texts):
    """Shannon's of the characters seen, for a text of their length."""
    counts = Counter("".join(texts))
    total = sum(counts.values())
    per_character = -sum(n / total * math.log2(n / total)
                         for n in counts.values())
    return per_character * len(texts[0])


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_ensure_minimum_entropy(service, name):
    """EnsureMinimumAccessTokenLength and -Entropy, EnsureMinimumRefreshToken
    Length and -Entropy: 128 bits at least"""
    texts = [grant(service)[name] for _ in range(20)]
    assert all(re.fullmatch(r"[A-Za-z0-9._~+/=-]{22,}", t) for t in texts)
    assert len(set(texts)) == len(texts)
    assert entropy_bits(texts) >= 128


def test_oidcc_refresh_token(service, client):
    """RefreshTokenRequestSteps: EnsureAccessTokenValuesAreDifferent,
    CompareIdTokenClaims; the new access token works, the refresh token of
    another client does not (RefreshTokenRequestExpectingErrorSteps)"""
    tokens = grant(service, client)
    second = refreshed(service, tokens["refresh_token"], client)
    assert second["access_token"] != tokens["access_token"]
    _, old = verified(service, tokens["id_token"])
    _, new = verified(service, second["id_token"])
    for name in ("iss", "sub", "aud"):
        assert old[name] == new[name]
    assert new["iat"] >= old["iat"]
    assert userinfo(service, second["access_token"]).status_code == 200
    answer = refresh(service, second["refresh_token"], "other")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


# -- revocation, introspection ------------------------------------------------

def test_revocation(service, client):
    """CallRevocationEndpoint, EnsureHttpStatusCodeIs200, then
    CallUserInfoEndpointExpecting401"""
    tokens = grant(service, client)
    assert revoke(service, tokens["refresh_token"], client).status_code == 200
    assert userinfo(service, tokens["access_token"]).status_code == 401


def test_introspection(service, client):
    """CallTokenIntrospectionEndpoint, ValidateTokenIntrospectionResponse"""
    body = introspect(service, grant(service, client)["access_token"]).json()
    assert body["active"] is True
    assert body["client_id"] == client and body["iss"] == issuer(service)


def test_client_credentials(service):
    """CreateTokenEndpointRequestForClientCredentialsGrant"""
    body = token(service, "machine", grant_type="client_credentials").json()
    assert body["access_token"] and body["expires_in"] > 0


# -- algorithms ---------------------------------------------------------------

@pytest.mark.parametrize("change", [{"alg": "none"}, {"alg": "HS256"}])
def test_an_unsigned_access_token_is_refused(service, change):
    """EnsureServerRejectsAlgNone, in spirit"""
    head, body, signature = grant(service, "jwt")["access_token"].split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    head = base64.urlsafe_b64encode(json.dumps(
        {**header, **change}).encode()).rstrip(b"=").decode()
    for text in (f"{head}.{body}.", f"{head}.{body}.{signature}"):
        assert userinfo(service, text).status_code == 401
        assert introspect(service, text).json() == {"active": False}
