"""Refreshing: rotation, retries, reuse, scope, expiry (RFC 6749 6, 9700)."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.tokens import (assert_oauth_error, grant, introspect, is_active,
                            let_time_pass, refresh, refreshed, revoke,
                            token_realm, userinfo, verified)

OPAQUE = re.compile(r"^[0-9A-F]{64}$")
HOUR = 3600


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def test_the_answer(service):
    """RFC 6749 5.1 and 6: a new refresh token and a new access token."""
    old = grant(service)
    answer = refresh(service, old["refresh_token"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    new = answer.json()
    assert set(new) == {"access_token", "token_type", "expires_in", "scope",
                        "refresh_token", "id_token"}
    assert new["token_type"] == "bearer"
    assert OPAQUE.match(new["access_token"])
    assert OPAQUE.match(new["refresh_token"])
    assert new["refresh_token"] != old["refresh_token"]
    assert new["access_token"] != old["access_token"]
    assert new["scope"] == "read openid"
    assert is_active(service, new["access_token"])
    assert is_active(service, old["access_token"])
    assert not is_active(service, old["refresh_token"])
    assert is_active(service, new["refresh_token"])


def test_a_chain(service):
    token = grant(service)["refresh_token"]
    seen = {token}
    for _ in range(5):
        token = refreshed(service, token)["refresh_token"]
        assert token not in seen
        seen.add(token)


def test_id_token_of_a_refresh(service):
    """OIDC Core 12.2: same iss, sub, aud; auth_time of the original; new iat."""
    old = grant(service, name="Jane", amr=["mfa"])
    _, first = verified(service, old["id_token"])
    new = refreshed(service, old["refresh_token"])
    _, second = verified(service, new["id_token"])
    for claim in ("iss", "sub", "aud", "auth_time", "amr", "name"):
        assert second[claim] == first[claim], claim
    assert second["iat"] >= first["iat"]
    assert "nonce" not in second


def test_no_id_token_without_openid(service):
    token = grant(service, scope=["read"])["refresh_token"]
    assert "id_token" not in refreshed(service, token)


def test_claims_survive_a_refresh(service):
    old = grant(service, name="Jane")
    new = refreshed(service, old["refresh_token"])
    assert userinfo(service, new["access_token"]).json() == {
        "sub": "mirror|jane", "name": "Jane"}


def test_a_retry_gets_the_same_successor(service):
    old = grant(service)["refresh_token"]
    first = refreshed(service, old)
    again = refreshed(service, old)
    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert is_active(service, first["access_token"])
    assert is_active(service, again["access_token"])


def test_fifty_at_once_have_one_successor(service):
    old = grant(service)["refresh_token"]
    with ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(refresh, service, old) for _ in range(50)]
        answers = [answer.result() for answer in answers]
    assert [answer.status_code for answer in answers] == [200] * 50
    assert len({a.json()["refresh_token"] for a in answers}) == 1
    assert len({a.json()["access_token"] for a in answers}) == 50
    assert is_active(service, answers[0].json()["refresh_token"])


def test_reuse_after_the_successors_use(service):
    """RFC 9700 4.14.2: the authorization server revokes the active token."""
    old = grant(service)
    second = refreshed(service, old["refresh_token"])
    third = refreshed(service, second["refresh_token"])
    before = service.count("postern_token_requests_total", outcome="reuse")
    answer = refresh(service, old["refresh_token"])
    assert_oauth_error(answer, 400, "invalid_grant")
    assert service.count("postern_token_requests_total",
                         outcome="reuse") == before + 1
    for family in (old, second, third):
        assert not is_active(service, family["access_token"])
        assert not is_active(service, family["refresh_token"])
        assert_oauth_error(refresh(service, family["refresh_token"]), 400,
                           "invalid_grant")


def test_another_family_lives_on(service):
    bystander = grant(service)
    old = grant(service)["refresh_token"]
    refreshed(service, refreshed(service, old)["refresh_token"])
    assert_oauth_error(refresh(service, old), 400, "invalid_grant")
    assert is_active(service, bystander["access_token"])
    refreshed(service, bystander["refresh_token"])


def test_a_replay_an_hour_later(start):
    service = start(token_realm())
    old = grant(service)
    new = refreshed(service, old["refresh_token"])
    let_time_pass(service, HOUR - 60)
    assert is_active(service, new["access_token"])
    let_time_pass(service, 50)
    assert_oauth_error(refresh(service, old["refresh_token"]), 400,
                       "invalid_grant")
    assert not is_active(service, new["access_token"])
    assert_oauth_error(refresh(service, new["refresh_token"]), 400,
                       "invalid_grant")


def test_a_retry_after_a_restart(start):
    """The successor is derived, so it need not be remembered."""
    service = start(token_realm())
    old = grant(service)["refresh_token"]
    first = refreshed(service, old)
    service.gateway.kill()
    service.restart(service.gateway)
    assert refreshed(service, old)["refresh_token"] == first["refresh_token"]


def test_idle_and_absolute_expiry(start):
    """60 s of idleness, 100 s in all."""
    service = start(token_realm())
    left = grant(service, "idle")["refresh_token"]
    kept = grant(service, "idle")["refresh_token"]
    let_time_pass(service, 50)
    kept = refreshed(service, kept, "idle")["refresh_token"]
    let_time_pass(service, 20)
    assert_oauth_error(refresh(service, left, "idle"), 400, "invalid_grant")
    kept = refreshed(service, kept, "idle")["refresh_token"]
    let_time_pass(service, 40)
    assert_oauth_error(refresh(service, kept, "idle"), 400, "invalid_grant")


def test_bound_to_its_client(service):
    """RFC 6749 6: the refresh token is bound to the client."""
    token = grant(service)["refresh_token"]
    assert_oauth_error(refresh(service, token, "other"), 400, "invalid_grant")
    refreshed(service, token)


# Granted "read write openid"; section, what is asked for, what is given.
SCOPES = {
    "6 omitted: as granted": (None, "read write openid"),
    "6 a part of it": ("read", "read"),
    "6 in another order": ("openid read", "openid read"),
    "3.3 twice the same": ("read read", "read"),
    "6 MUST NOT include any scope not granted": ("read profile", None),
    "6 unknown": ("nothing", None),
    "3.3 case-sensitive": ("READ", None),
}


@pytest.mark.parametrize("asked, given", SCOPES.values(), ids=SCOPES.keys())
def test_scope(service, asked, given):
    token = grant(service, scope=["read", "write", "openid"])["refresh_token"]
    fields = {} if asked is None else {"scope": asked}
    answer = refresh(service, token, **fields)
    if given is None:
        assert_oauth_error(answer, 400, "invalid_scope")
        refreshed(service, token)
        return
    body = answer.json()
    assert body["scope"] == given
    assert introspect(service, body["access_token"])["scope"] == given
    # Section 6: the new refresh token's scope is the old one's.
    again = refreshed(service, body["refresh_token"])
    assert again["scope"] == "read write openid"


def test_a_scope_the_client_lost(start):
    realm = token_realm()
    service = start(realm)
    token = grant(service, scope=["read", "write"])["refresh_token"]
    realm.client("app", idps=["mirror"], default_scopes=["read"])
    service.reload()
    assert refreshed(service, token)["scope"] == "read"


def test_refresh_switched_off(start):
    realm = token_realm()
    service = start(realm)
    token = grant(service)["refresh_token"]
    realm.client("app", idps=["mirror"], default_scopes=["read"],
                 refresh_token={"enabled": False})
    service.reload()
    assert_oauth_error(refresh(service, token), 400, "unauthorized_client")


def test_after_revocation(service):
    token = grant(service)["refresh_token"]
    assert revoke(service, token).status_code == 200
    assert_oauth_error(refresh(service, token), 400, "invalid_grant")


def test_every_bit_of_a_token_counts(service):
    token = grant(service)["refresh_token"]
    for position in range(0, 64, 3):
        changed = "%X" % (int(token[position], 16) ^ 1)
        guess = token[:position] + changed + token[position + 1:]
        assert_oauth_error(refresh(service, guess), 400, "invalid_grant")
    refreshed(service, token)
