"""Tokens of a service: a realm with a client of each kind, and every call that
makes, uses or ends a token."""

import json
import sqlite3
import time

import requests
from jwcrypto import jwk, jwt

from harness.realm import SECRET
from harness.service import CALL_SECS, unique
from harness.standard import IDPS, MIRROR, standard_realm

AUDIENCE = "https://api.example.com"
STATELESS = "urn:onewelcome:oauth2:grant_type:stateless_authentication"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INTROSPECTION_JWT = "application/token-introspection+jwt"

# What the client `keyed` signs its assertions with.
CLIENT_KEY = jwk.JWK.generate(kty="EC", crv="P-256", kid="of-the-test",
                              alg="ES256", use="sig")


def oauth_realm(*more_idps):
    """The standard realm, and clients for what happens to tokens later."""
    realm = standard_realm(*more_idps)
    idps = [*IDPS, *more_idps]
    scopes = {"default_scopes": ["read"],
              "additional_scopes": ["write", "openid", "profile"]}
    jwt_tokens = {"format": "jwt"}
    realm.client("jwt", idps=idps, access_token=jwt_tokens,
                 grants=["client_credentials"], **scopes)
    realm.client("jwt-es256", idps=idps, access_token=jwt_tokens,
                 id_token={"signing_alg": "ES256"}, **scopes)
    realm.client("jwt-ps256", idps=idps, access_token=jwt_tokens,
                 id_token={"signing_alg": "PS256"}, **scopes)
    realm.client("jwt-api", idps=idps, access_token={
        **jwt_tokens, "audience": [AUDIENCE]}, **scopes)
    realm.client("jwt-brief", idps=idps, access_token={
        **jwt_tokens, "lifetime_secs": 10}, **scopes)
    realm.client("machine", idps=[], grants=["client_credentials"], **scopes)
    realm.client("idle", idps=idps, refresh_token={
        "idle_secs": 600, "lifetime_secs": 1500}, **scopes)
    realm.client("keyed", idps=idps, grants=["client_credentials"],
                 jwks={"keys": [CLIENT_KEY.export_public(as_dict=True)]},
                 **scopes)
    realm.api_client("user-desk", "end_user")
    realm.idp("mirror", MIRROR, backchannel=MIRROR)
    return realm


# -- calls --------------------------------------------------------------------

def grant(service, client="app", scope=("openid",), user=None, idp="mirror",
          **attributes):
    """The oauth_token of a complete."""
    result = {"status": 2000, "user": {"id": user or unique("user"),
                                       **attributes}}
    answer = service.complete(idp, result, client=client,
                              members={"scope": list(scope)})
    assert answer.status_code == 200, answer.text
    return answer.json()["oauth_token"]


def form(service, path, fields, client="app", **options):
    """A form with Basic credentials; client None: with none."""
    return service.post(path, client=client, data=fields, **options)


def token(service, client="app", **fields):
    return form(service, "/oauth/v1/token", fields, client)


def refresh(service, refresh_token, client="app", **fields):
    return token(service, client, grant_type="refresh_token",
                 refresh_token=refresh_token, **fields)


def refreshed(service, refresh_token, client="app", **fields):
    answer = refresh(service, refresh_token, client, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def revoke(service, text, client="app", **fields):
    return form(service, "/oauth/v1/revoke", {"token": text, **fields}, client)


def introspect(service, text, client="inspector", version=2, headers=None,
               **fields):
    return form(service, f"/oauth/api/v{version}/token/introspect",
                {"token": text, **fields}, client, headers=headers)


def introspected(service, text, **options):
    answer = introspect(service, text, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_active(service, text):
    return introspected(service, text)["active"]


def userinfo(service, access_token=None, method="GET", headers=None,
             **options):
    headers = dict(headers or {})
    if access_token is not None:
        headers["Authorization"] = f"Bearer {access_token}"
    return requests.request(method, service.url + "/oauth/v1/userinfo",
                            headers=headers, timeout=CALL_SECS, **options)


def discovery(service, path="/oauth/.well-known/openid-configuration"):
    answer = requests.get(service.url + path, timeout=CALL_SECS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def issuer(service):
    return service.public_url + "/oauth"


# -- JWTs ---------------------------------------------------------------------

ALGORITHMS = ["RS256", "ES256", "PS256"]


def key_set(service):
    answer = requests.get(service.url + "/oauth/v1/keys", timeout=CALL_SECS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def verified(service, text, keys=None):
    """Header and claims of a JWT that the key set verifies."""
    keys = jwk.JWKSet.from_json(json.dumps(keys or key_set(service)))
    checked = jwt.JWT(jwt=text, key=keys, algs=ALGORITHMS)
    return json.loads(checked.header), json.loads(checked.claims)


def assertion(service, key=CLIENT_KEY, client="keyed", **claims):
    """A client assertion as private_key_jwt wants it."""
    now = int(time.time())
    body = {"iss": client, "sub": client, "aud": issuer(service),
            "iat": now, "exp": now + 60, "jti": unique("jti"), **claims}
    signed = jwt.JWT(header={"alg": "ES256", "kid": key["kid"]}, claims=body)
    signed.make_signed_token(key)
    return signed.serialize()


# -- time and the store -------------------------------------------------------

# Every column that holds a time of the wall clock, in seconds.
TIMES = {"transactions": ["expires_at"],
         "grants": ["created_at", "expires_at"],
         "tokens": ["issued_at", "expires_at", "used_at"],
         "events": ["at"], "assertions": ["expires_at"]}


def database(service):
    """The store's file."""
    files = [path for path in service.data_dir.iterdir() if path.is_file()
             and path.read_bytes()[:15] == b"SQLite format 3"]
    assert len(files) == 1, files
    return files[0]


def let_time_pass(service, secs):
    """Makes the stopped gateway's store look as it will that much later."""
    status = service.gateway.stop()
    assert status == 0, status
    with sqlite3.connect(database(service)) as store:
        for table, columns in TIMES.items():
            for column in columns:
                store.execute(f"update {table} set {column} = {column} - ?"
                              f" where {column} is not null", (secs,))
        store.execute("update grants set refresh_until = refresh_until - ?"
                      " where refresh_until > 0", (secs,))
    store.close()
    service.restart(service.gateway)
