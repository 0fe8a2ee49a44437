"""Discovery: OpenID Connect Discovery 1.0 and RFC 8414, honest members."""

import pytest
import requests

from harness.service import CALL_SECS
from harness.tokens import token_realm

OIDC = "/oauth/.well-known/openid-configuration"
RFC8414 = "/.well-known/oauth-authorization-server/oauth"


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def document(service, path=OIDC):
    answer = requests.get(service.url + path, timeout=CALL_SECS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    return answer.json()


def test_both_paths_tell_the_same(service):
    assert document(service) == document(service, RFC8414)


# Section, member, value; URLs without their origin.
MEMBERS = {
    "3 issuer": ("issuer", "/oauth"),
    "3 jwks_uri": ("jwks_uri", "/oauth/v1/keys"),
    "3 token_endpoint": ("token_endpoint", "/oauth/v1/token"),
    "3 userinfo_endpoint": ("userinfo_endpoint", "/oauth/v1/userinfo"),
    "8414 2 revocation_endpoint": ("revocation_endpoint", "/oauth/v1/revoke"),
    "8414 2 introspection_endpoint":
        ("introspection_endpoint", "/oauth/api/v2/token/introspect"),
    "3 response_types_supported": ("response_types_supported", []),
    "3 grant_types_supported":
        ("grant_types_supported", ["refresh_token", "client_credentials"]),
    "3 subject_types_supported": ("subject_types_supported", ["public"]),
    "3 RS256 MUST be included": ("id_token_signing_alg_values_supported",
                                 ["RS256", "ES256", "PS256"]),
    "8414 2 token_endpoint_auth_methods_supported":
        ("token_endpoint_auth_methods_supported",
         ["client_secret_basic", "client_secret_post", "private_key_jwt"]),
    "8414 2 REQUIRED with private_key_jwt":
        ("token_endpoint_auth_signing_alg_values_supported",
         ["ES256", "RS256", "PS256"]),
    "8414 2 API clients have secrets":
        ("introspection_endpoint_auth_methods_supported",
         ["client_secret_basic", "client_secret_post"]),
    "3 request_uri_parameter_supported defaults to true":
        ("request_uri_parameter_supported", False),
}


@pytest.mark.parametrize("member, value", MEMBERS.values(), ids=MEMBERS.keys())
def test_member(service, member, value):
    if isinstance(value, str):
        value = service.url + value
    assert document(service)[member] == value


def test_scopes(service):
    """3: the server MUST support the openid scope value."""
    assert set(document(service)["scopes_supported"]) == {
        "read", "write", "openid", "profile", "secret"}


@pytest.mark.parametrize("member", [
    "authorization_endpoint", "registration_endpoint",
    "end_session_endpoint", "response_modes_supported",
    "code_challenge_methods_supported"])
def test_what_there_is_not(service, member):
    assert member not in document(service)


def test_every_endpoint_is_there(service):
    for name, url in document(service).items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert url.startswith(service.url)
            status = requests.get(url, timeout=CALL_SECS).status_code
            assert status in (200, 401, 405), (name, status)


def test_an_issuer_of_the_realms_own(start):
    """The issuer is the realm's; endpoints are where the gateway is."""
    realm = token_realm()
    realm.settings(issuer="https://id.example.com/oauth")
    service = start(realm)
    told = document(service)
    assert told["issuer"] == "https://id.example.com/oauth"
    assert told["token_endpoint"] == service.url + "/oauth/v1/token"
