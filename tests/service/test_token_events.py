"""Every decision about a token leaves its audit event (SPEC 1)."""

import pytest
import requests

from harness.realm import SECRET
from harness.service import CALL_SECS, unique
from harness.tokens import (INTROSPECT, TOKEN, UNKNOWN, USERS, event_about,
                            form, grant, refresh, refreshed, revoke,
                            token_realm, userinfo)


@pytest.fixture(scope="module")
def realm():
    return token_realm()


def reused(service):
    old = grant(service)["refresh_token"]
    refreshed(service, refreshed(service, old)["refresh_token"])
    return refresh(service, old)


# Event, who asks, whose token, detail, the request.
EVENTS = [
    ("TOKEN_REQUEST_SUCCESS", "app", "mirror|jane", "refresh_token",
     lambda s: refresh(s, grant(s)["refresh_token"])),
    ("TOKEN_REQUEST_SUCCESS", "machine", None, "client_credentials",
     lambda s: form(s, TOKEN, "machine", grant_type="client_credentials")),
    ("TOKEN_REQUEST_FAILED", "app", None, "invalid_grant",
     lambda s: refresh(s, UNKNOWN)),
    ("TOKEN_REQUEST_FAILED", "app", None, "unsupported_grant_type",
     lambda s: form(s, TOKEN, grant_type="password")),
    ("TOKEN_REQUEST_REFRESH_TOKEN_REUSE", "app", "mirror|jane", None, reused),
    ("TOKEN_REVOKE_SUCCESS", "app", "mirror|jane", "access_token",
     lambda s: revoke(s, grant(s)["access_token"])),
    ("TOKEN_REVOKE_FAILED", "app", None, "unknown",
     lambda s: revoke(s, UNKNOWN)),
    ("TOKEN_REVOKE_FAILED", "other", None, "invalid_grant",
     lambda s: revoke(s, grant(s)["access_token"], "other")),
    ("TOKEN_INTROSPECTION_SUCCESS", "inspector", "mirror|jane", None,
     lambda s: form(s, INTROSPECT, "inspector",
                    token=grant(s)["access_token"])),
    ("TOKEN_INTROSPECTION_INACTIVE", "inspector", None, "inactive",
     lambda s: form(s, INTROSPECT, "inspector", token=UNKNOWN)),
    ("USERINFO_SUCCESS", "app", "mirror|jane", None,
     lambda s: userinfo(s, grant(s)["access_token"])),
]


@pytest.mark.parametrize("kind, client, sub, detail, call", EVENTS,
                         ids=[f"{row[0]} {row[3]}" for row in EVENTS])
def test_event(service, kind, client, sub, detail, call):
    event = event_about(service, call(service), kind)
    assert event["client_id"] == client
    assert event.get("sub") == sub
    assert event.get("detail") == detail
    assert event.get("idp") == ("mirror" if sub else None)


def test_deleting_a_users_tokens(service):
    user = unique("user")
    grant(service, user=user)
    answer = requests.delete(f"{service.url}{USERS}mirror%7C{user}/tokens",
                             auth=("people", SECRET), timeout=CALL_SECS)
    event = event_about(service, answer, "USER_TOKENS_DELETED")
    assert event["client_id"] == "people" and event["sub"] == "mirror|" + user
