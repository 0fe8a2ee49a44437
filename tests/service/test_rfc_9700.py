"""RFC 9700 section 4.14, refresh token protection, sentence by sentence; and
the retry that SPEC 2 allows. Time passes by ageing the stopped store."""

import threading

import pytest

from harness import oauth
from harness.oauth import (grant, introspected, is_active, let_time_pass,
                           refresh, refreshed, userinfo)
from harness.sentences import Sentences
from harness.service import assert_error
from harness.wait import until

HOUR_SECS = 3600

rfc = Sentences("RFC 9700")


@pytest.fixture(scope="module")
def realm():
    return oauth.oauth_realm()


@rfc("4.14.2", "the authorization server issues a new refresh token with "
               "every access token refresh response")
def rotation(service):
    text = grant(service)["refresh_token"]
    seen = {text}
    for _ in range(10):
        text = refreshed(service, text)["refresh_token"]
        assert text not in seen
        seen.add(text)


@rfc("4.14.2", "The previous refresh token is invalidated, but information "
               "about the relationship is retained")
def previous_is_invalid(service):
    first = grant(service)["refresh_token"]
    second = refreshed(service, first)["refresh_token"]
    assert not is_active(service, first)
    assert is_active(service, second)


@rfc("4.14.2", "If a refresh token is compromised and subsequently used by "
               "both, one of them will present an invalidated one, and the "
               "server will revoke the active refresh token")
def reuse_kills_the_family(service):
    first = grant(service)
    second = refreshed(service, first["refresh_token"])
    third = refreshed(service, second["refresh_token"])
    assert_error(refresh(service, first["refresh_token"]), 400,
                 "invalid_grant")
    for tokens in (first, second, third):
        assert not is_active(service, tokens["access_token"])
        assert not is_active(service, tokens["refresh_token"])
    assert_error(refresh(service, third["refresh_token"]), 400,
                 "invalid_grant")


@rfc("4.14.2", "as well as the access authorization grant associated with it "
               "(and no other)")
def only_the_family(service):
    mine = grant(service, user="same")
    other = grant(service, user="same")
    second = refreshed(service, mine["refresh_token"])
    refreshed(service, second["refresh_token"])
    refresh(service, mine["refresh_token"])
    assert is_active(service, other["access_token"])
    refreshed(service, other["refresh_token"])


@rfc("4.14.2", "reuse is told to the operator")
def reuse_is_logged(service):
    tokens = grant(service)
    second = refreshed(service, tokens["refresh_token"])
    refreshed(service, second["refresh_token"])
    answer = refresh(service, tokens["refresh_token"])
    entries = until(
        lambda: [e for e in service.log_of(answer.headers["X-Correlation-Id"])
                 if "reuse" in str(e.values())], "the warning of reuse")
    assert tokens["refresh_token"] not in str(entries)


@rfc("4.14.2", "Refresh tokens MUST be bound to the scope and resource "
               "servers as consented by the resource owner")
def bound_to_scope(service):
    tokens = grant(service, scope=["openid"])
    assert_error(refresh(service, tokens["refresh_token"],
                         scope="openid write"), 400, "invalid_scope")
    fresh = refreshed(service, tokens["refresh_token"])
    body = introspected(service, fresh["access_token"])
    assert body["scope"] == "openid"


@rfc("2.2.2", "refresh tokens are bound to the client: another one's use "
              "harms nobody")
def bound_to_client(service):
    tokens = grant(service)
    assert_error(refresh(service, tokens["refresh_token"], "other"), 400,
                 "invalid_grant")
    second = refreshed(service, tokens["refresh_token"])
    refreshed(service, second["refresh_token"])
    assert_error(refresh(service, tokens["refresh_token"], "other"), 400,
                 "invalid_grant")
    assert is_active(service, tokens["access_token"])


@rfc("SPEC 2", "a retry within 10 s gets the same successor and a fresh "
               "access token")
def retry(service):
    text = grant(service)["refresh_token"]
    first, again = refreshed(service, text), refreshed(service, text)
    assert first["refresh_token"] == again["refresh_token"]
    assert first["access_token"] != again["access_token"]
    for answer in (first, again):
        assert userinfo(service, answer["access_token"]).status_code == 200
    refreshed(service, again["refresh_token"])


test_sentence = rfc.test()


@pytest.mark.parametrize("client", ["app", "jwt"])
def test_50_parallel_uses_have_one_successor(service, client):
    text = grant(service, client)["refresh_token"]
    before = service.count("postern_tokens_issued_total", kind="refresh")
    answers = []
    gate = threading.Barrier(50)

    def use():
        gate.wait()
        answers.append(refresh(service, text, client))
    threads = [threading.Thread(target=use) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status_code for a in answers] == [200] * 50
    assert len({a.json()["refresh_token"] for a in answers}) == 1
    assert len({a.json()["access_token"] for a in answers}) == 50
    assert service.count("postern_tokens_issued_total",
                         kind="refresh") >= before + 1
    successor = answers[0].json()["refresh_token"]
    assert is_active(service, successor)
    # They are one family: using the old one again now kills every one.
    refreshed(service, successor, client)
    assert_error(refresh(service, text, client), 400, "invalid_grant")
    assert not any(is_active(service, a.json()["access_token"])
                   for a in answers)


@pytest.mark.parametrize("secs", [12, HOUR_SECS])
def test_a_replay_later_kills_the_family(start, secs):
    service = start(oauth.oauth_realm())
    thief = grant(service)
    family = refreshed(service, thief["refresh_token"])
    bystander = grant(service)
    let_time_pass(service, secs)
    late = refreshed(service, bystander["refresh_token"])
    # The successor was never used: the time alone makes it reuse.
    assert_error(refresh(service, thief["refresh_token"]), 400,
                 "invalid_grant")
    for name in ("access_token", "refresh_token"):
        assert not is_active(service, family[name])
    assert_error(refresh(service, family["refresh_token"]), 400,
                 "invalid_grant")
    assert is_active(service, late["access_token"])


def test_an_hour_later_with_living_access_tokens(start):
    """As above where the access token outlives the hour."""
    realm = oauth.oauth_realm()
    for name, access_format in (("long", "opaque"), ("long-jwt", "jwt")):
        realm.client(name, idps=["mirror"], default_scopes=["openid"],
                     access_token={"format": access_format,
                                   "lifetime_secs": 3 * HOUR_SECS})
    service = start(realm)
    for client in ("long", "long-jwt"):
        first = grant(service, client)
        second = refreshed(service, first["refresh_token"], client)
        let_time_pass(service, HOUR_SECS)
        third = refreshed(service, second["refresh_token"], client)
        live = [t["access_token"] for t in (first, second, third)]
        assert all(is_active(service, text) for text in live)
        assert_error(refresh(service, first["refresh_token"], client), 400,
                     "invalid_grant")
        assert not any(is_active(service, text) for text in live)
        assert userinfo(service, live[2]).status_code == 401


def test_retries_survive_a_restart(start):
    service = start(oauth.oauth_realm())
    text = grant(service)["refresh_token"]
    first = refreshed(service, text)
    service.gateway.kill()
    service.restart(service.gateway)
    assert refreshed(service, text)["refresh_token"] == first["refresh_token"]


def test_idle_and_absolute_expiry(start):
    """RFC 9700 section 4.14.2: SHOULD expire if the client has been inactive
    for some time. `idle`: 600 s unused, 1500 s in all."""
    service = start(oauth.oauth_realm())
    unused = grant(service, "idle")["refresh_token"]
    used = grant(service, "idle")["refresh_token"]
    let_time_pass(service, 590)
    used = refreshed(service, used, "idle")["refresh_token"]
    let_time_pass(service, 20)
    assert_error(refresh(service, unused, "idle"), 400, "invalid_grant")
    let_time_pass(service, 500)
    used = refreshed(service, used, "idle")["refresh_token"]
    let_time_pass(service, 370)
    used = refreshed(service, used, "idle")["refresh_token"]
    let_time_pass(service, 30)
    assert_error(refresh(service, used, "idle"), 400, "invalid_grant")
