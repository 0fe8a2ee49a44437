"""Tokens and the endpoints about them, for the tests of their whole life."""

import json
import sqlite3

import requests
from jwcrypto import jwk, jwt

from harness.realm import SECRET
from harness.service import CALL_SECS
from harness.standard import standard_realm
from harness.wait import until

TOKEN = "/oauth/v1/token"
REVOKE = "/oauth/v1/revoke"
INTROSPECT = "/oauth/api/v2/token/introspect"
USERINFO = "/oauth/v1/userinfo"
USERS = "/oauth/api/v1/users/"

# What a bearer of no use looks like: the right form, never issued.
UNKNOWN = "0123456789ABCDEF" * 4

REFRESH_DAYS = {"idle_secs": 86400, "lifetime_secs": 7 * 86400}


def token_realm():
    realm = standard_realm()
    idps = ["mirror", "two"]
    scopes = {"default_scopes": ["read"],
              "additional_scopes": ["write", "openid", "profile"]}
    realm.client("machine", grants=["client_credentials"],
                 default_scopes=["read", "openid"],
                 additional_scopes=["write"])
    realm.client("machine-jwt", grants=["client_credentials"],
                 access_token={"format": "jwt"}, default_scopes=["read"])
    realm.client("no-scope", grants=["client_credentials"],
                 additional_scopes=["write"])
    realm.client("jwt", idps=idps, access_token={"format": "jwt"}, **scopes)
    realm.client("jwt-es256", idps=idps, id_token={"signing_alg": "ES256"},
                 access_token={"format": "jwt",
                               "audience": ["https://api.example"]}, **scopes)
    realm.client("jwt-two", idps=idps,
                 access_token={"format": "jwt",
                               "audience": ["https://a.example",
                                            "https://b.example"]}, **scopes)
    realm.client("idle", idps=idps, **scopes, refresh_token={
        "enabled": True, "idle_secs": 60, "lifetime_secs": 100})
    realm.api_client("people", "end_user")
    realm.api_client("auditor", "events")
    return realm


def grant(service, client="app", scope=("read", "openid"), user="jane",
          members=None, **attributes):
    """oauth_token of a registration."""
    result = {"status": 2000, "user": {"id": user, **attributes}}
    answer = service.complete("mirror", result, client=client, members={
        "scope": list(scope), **(members or {})})
    assert answer.status_code == 200, answer.text
    return answer.json()["oauth_token"]


def form(service, path, client="app", **fields):
    auth = None if client is None else (client, SECRET)
    return requests.post(service.url + path, data=fields, auth=auth,
                         timeout=CALL_SECS)


def refresh(service, token, client="app", **fields):
    return form(service, TOKEN, client, grant_type="refresh_token",
                refresh_token=token, **fields)


def refreshed(service, token, client="app", **fields):
    answer = refresh(service, token, client, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def introspect(service, token, path=INTROSPECT, client="inspector", **fields):
    answer = form(service, path, client, token=token, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def is_active(service, token):
    answer = introspect(service, token)
    assert answer["active"] or answer == {"active": False}
    return answer["active"]


def revoke(service, token, client="app", **fields):
    return form(service, REVOKE, client, token=token, **fields)


def userinfo(service, token, method="GET"):
    return requests.request(
        method, service.url + USERINFO, timeout=CALL_SECS,
        headers={"Authorization": f"Bearer {token}"})


def key_set(service):
    answer = requests.get(service.url + "/oauth/v1/keys", timeout=CALL_SECS)
    return jwk.JWKSet.from_json(answer.text)


def verified(service, token, algorithm="RS256"):
    """Header and claims of a JWT of ours, its signature checked."""
    checked = jwt.JWT(jwt=token, key=key_set(service), algs=[algorithm],
                      check_claims={})
    return json.loads(checked.header), json.loads(checked.claims)


def event_about(service, answer, kind):
    """The audit event of this type about a request, once it is stored."""
    correlation_id = answer.headers["X-Correlation-Id"]

    def find():
        told = requests.get(
            service.url + "/oauth/api/v1/events", params={"type": kind},
            auth=("auditor", SECRET), timeout=CALL_SECS).json()["events"]
        return next((event for event in told
                     if event.get("correlation_id") == correlation_id), None)
    return until(find, f"{kind} of {correlation_id}")


def let_time_pass(service, secs):
    """Makes everything stored about tokens older; the gateway starts anew."""
    assert service.gateway.stop() == 0
    (path,) = service.data_dir.glob("*.db")
    with sqlite3.connect(path) as database:
        database.execute(
            "UPDATE tokens SET issued_at = issued_at - ?1, "
            "expires_at = expires_at - ?1, used_at = used_at - ?1", (secs,))
        database.execute(
            "UPDATE grants SET created_at = created_at - ?1, "
            "expires_at = expires_at - ?1, "
            "refresh_until = max(0, refresh_until - ?1)", (secs,))
    database.close()
    service.restart(service.gateway)


def assert_oauth_error(answer, status, error):
    """RFC 6749 section 5.2, and our own rules for every error."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert body["error"] == error, body
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    if status == 401:
        assert answer.headers["WWW-Authenticate"]
