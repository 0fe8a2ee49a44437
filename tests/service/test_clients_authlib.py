"""Python's authlib lives a token's whole life with the gateway."""

import pytest
import requests

from harness import oauth
from harness.oauth import discovery, grant, issuer
from harness.realm import SECRET

authlib = pytest.importorskip(
    "authlib", reason="python3-authlib is not installed: .ci/packages test")

# pylint: disable=wrong-import-position
from authlib.integrations.base_client import OAuthError  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.jose import JsonWebKey, JsonWebToken  # noqa: E402
from authlib.jose.errors import BadSignatureError  # noqa: E402
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata  # noqa: E402
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # noqa: E402
from authlib.oidc.core import CodeIDToken, UserInfo  # noqa: E402
from authlib.oidc.discovery import OpenIDProviderMetadata  # noqa: E402


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


@pytest.fixture(autouse=True)
def plain_http_on_loopback(monkeypatch):
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "true")


def session(service, client, method="client_secret_basic", tokens=None):
    metadata = discovery(service)
    made = OAuth2Session(
        client, SECRET, token_endpoint_auth_method=method, token=tokens,
        revocation_endpoint_auth_method=method,
        token_endpoint=metadata["token_endpoint"])
    return made, metadata


def keys(service):
    metadata = discovery(service)
    return JsonWebKey.import_key_set(
        requests.get(metadata["jwks_uri"], timeout=20).json())


@pytest.mark.parametrize("kind, path", [
    (OpenIDProviderMetadata, "/oauth/.well-known/openid-configuration"),
    (AuthorizationServerMetadata,
     "/.well-known/oauth-authorization-server/oauth")])
def test_discovery(service, kind, path):
    """It takes an empty list for a missing one: response_types_supported is
    required (RFC 8414 section 2), and without /authorize there is none."""
    class Metadata(kind):
        REGISTRY_KEYS = [key for key in kind.REGISTRY_KEYS
                         if key != "response_types_supported"]
    metadata = Metadata(discovery(service, path))
    metadata.validate()
    assert metadata["response_types_supported"] == []
    assert metadata["issuer"] == issuer(service)


@pytest.mark.parametrize("method", ["client_secret_basic",
                                    "client_secret_post"])
@pytest.mark.parametrize("client", ["app", "jwt"])
def test_a_life(service, client, method):
    tokens = grant(service, client, ["openid", "write"], given_name="Jane")
    app, metadata = session(service, client, method, tokens)

    fresh = app.refresh_token(metadata["token_endpoint"],
                              tokens["refresh_token"])
    assert fresh["refresh_token"] != tokens["refresh_token"]
    claims = JsonWebToken(["RS256"]).decode(
        fresh["id_token"], keys(service), claims_cls=CodeIDToken,
        claims_options={"iss": {"essential": True, "value": issuer(service)},
                        "aud": {"essential": True, "value": client}},
        claims_params={"client_id": client,
                       "access_token": fresh["access_token"]})
    claims.validate()

    user = UserInfo(app.get(metadata["userinfo_endpoint"]).json())
    assert user.sub == claims.sub
    assert user.given_name == "Jane"

    inspector, _ = session(service, "inspector", method)
    seen = inspector.introspect_token(metadata["introspection_endpoint"],
                                      fresh["access_token"]).json()
    assert seen["active"] and seen["sub"] == claims.sub

    answer = app.revoke_token(metadata["revocation_endpoint"],
                              fresh["refresh_token"], "refresh_token")
    assert answer.status_code == 200
    seen = inspector.introspect_token(metadata["introspection_endpoint"],
                                      fresh["access_token"]).json()
    assert seen["active"] is False
    with pytest.raises(OAuthError) as refused:
        app.refresh_token(metadata["token_endpoint"], fresh["refresh_token"])
    assert refused.value.error == "invalid_grant"


def test_client_credentials(service):
    app, metadata = session(service, "machine")
    tokens = app.fetch_token(metadata["token_endpoint"],
                             grant_type="client_credentials", scope="read")
    assert tokens["access_token"] and "refresh_token" not in tokens


def test_private_key_jwt(service):
    metadata = discovery(service)
    app = OAuth2Session(
        "keyed", {"keys": [oauth.CLIENT_KEY.export(as_dict=True)]},
        token_endpoint_auth_method="private_key_jwt")
    app.register_client_auth_method(
        PrivateKeyJWT(metadata["token_endpoint"], alg="ES256"))
    tokens = app.fetch_token(metadata["token_endpoint"],
                             grant_type="client_credentials")
    assert tokens["access_token"]


@pytest.mark.parametrize("client, algorithm", [
    ("jwt", "RS256"), ("jwt-es256", "ES256"), ("jwt-ps256", "PS256")])
def test_jwt_access_tokens(service, client, algorithm):
    text = grant(service, client)["access_token"]
    claims = JsonWebToken([algorithm]).decode(text, keys(service))
    claims.validate()
    assert claims.header["typ"] == "at+jwt"
    head, body, signature = text.split(".")
    other = grant(service, client)["access_token"].split(".")
    with pytest.raises(BadSignatureError):
        JsonWebToken([algorithm]).decode(
            ".".join([head, other[1], signature]), keys(service))
    assert body != other[1]
