"""A store with a million live tokens is as fast as an empty one (within 20 %):
introspection and `complete`, measured call by call against an empty gateway
beside it."""

import random
import sqlite3
import statistics
import time

import pytest
import requests

from harness import oauth
from harness.oauth import database, grant
from harness.realm import SECRET
from harness.service import CALL_SECS, Service
from harness.wait import until

TOKENS = 1_000_000
CHUNKS = 5  # real tokens are issued between them, so they lie all over
REAL_TOKENS = 40
CALLS = 1500
SLOWER_AT_MOST = 1.2
RESULT = '{"status": 2000, "user": {"id": "someone"}}'
ROUNDS = 3  # of the measurement, where something else was busy meanwhile


def columns(store, table):
    return [row[1] for row in store.execute(f"pragma table_info({table})")]


def copy_rows(store, table, source, count, values):
    """`count` copies of the row numbered `source`, but with these values:
    SQL in which n counts from 1."""
    names = columns(store, table)
    store.execute(
        f"with recursive counter(n) as"
        f" (select 1 union all select n + 1 from counter where n < {count})"
        f" insert into {table} ({', '.join(names)}) select"
        f" {', '.join(values.get(name, 'original.' + name) for name in names)}"
        f" from counter, {table} as original"
        f" where original.number = {source}")


def maximum(store, table):
    return store.execute(f"select max(number) from {table}").fetchone()[0]


def fill(service, tokens):
    """Grants with an access and a refresh token each, as if issued over the
    last ten minutes; the gateway is stopped meanwhile."""
    assert service.gateway.stop() == 0
    grants = tokens // 2
    store = sqlite3.connect(database(service))
    with store:
        last_grant, last_token = (maximum(store, "grants"),
                                  maximum(store, "tokens"))
        rows = store.execute(
            "select number, kind, grant_number from tokens"
            " order by number desc limit 2").fetchall()
        assert sorted(kind for _, kind, _ in rows) == [1, 2]
        age = f"600 - n * 600 / {grants}"
        copy_rows(store, "grants", rows[0][2], grants, {
            "number": f"{last_grant} + n", "sub": "'mirror|filler-' || n",
            "created_at": f"original.created_at - ({age})",
            "expires_at": f"original.expires_at - ({age})"})
        for number, kind, _ in rows:
            copy_rows(store, "tokens", number, grants, {
                "number": f"{last_token} + 2 * n - {kind - 1}",
                "hash": "randomblob(32)",
                "grant_number": f"{last_grant} + n",
                "issued_at": f"original.issued_at - ({age})",
                "expires_at": f"original.expires_at - ({age})"})
    store.close()
    service.restart(service.gateway)


def live_tokens(service):
    with sqlite3.connect(f"file:{database(service)}?mode=ro",
                         uri=True) as store:
        return store.execute(
            "select count(*) from tokens where expires_at > ?",
            (int(time.time()),)).fetchone()[0]


def issue(service):
    return [grant(service)["access_token"] for _ in range(REAL_TOKENS)]


class Caller:
    """One kept connection to one gateway."""

    def __init__(self, service, tokens):
        self.service = service
        self.tokens = tokens
        self.session = requests.Session()
        self.calls = {"introspect": 0, "complete": len(tokens)}

    def post(self, route, path, client, **body):
        answer = self.session.post(self.service.url + path,
                                   auth=(client, SECRET), timeout=CALL_SECS,
                                   **body)
        self.calls[route] += 1
        assert answer.status_code == 200, answer.text
        return answer.json()

    def introspect(self):
        body = self.post("introspect", "/oauth/api/v2/token/introspect",
                         "inspector",
                         data={"token": random.choice(self.tokens)})
        assert body["active"]

    def complete(self):
        body = self.post("complete",
                         "/oauth/custom-registration/mirror/complete", "app",
                         json={"data": RESULT})
        assert body["oauth_token"]["access_token"]


def gateway_us(caller, route):
    """What its last calls took the gateway, as its log says: the client's own
    share would drown the difference."""
    def logged():
        taken = [entry["us"] for entry in caller.service.gateway.log_entries()
                 if entry.get("route") == route]
        return taken[-CALLS:] if len(taken) == caller.calls[route] else None
    return until(logged, f"the log of {route}", 60)


def ratio(empty, full, call):
    """Of the medians, the two asked in turns."""
    for _ in range(CALLS):
        for caller in (empty, full):
            call(caller)
    medians = [statistics.median(gateway_us(caller, call.__name__))
               for caller in (empty, full)]
    print(f"{call.__name__}: empty {medians[0]} us, full {medians[1]} us")
    return medians[1] / medians[0]


@pytest.fixture(name="callers", scope="module")
def two_callers():
    with Service(oauth.oauth_realm()) as empty, \
            Service(oauth.oauth_realm()) as full:
        tokens = issue(full)
        for _ in range(CHUNKS):
            fill(full, TOKENS // CHUNKS)
            tokens += issue(full)
        assert live_tokens(full) >= TOKENS
        yield Caller(empty, issue(empty)), Caller(full, tokens)


@pytest.mark.parametrize("call", [Caller.introspect, Caller.complete])
def test_a_full_store_is_as_fast(callers, call):
    ratios = []
    while not ratios or (ratios[-1] >= SLOWER_AT_MOST
                         and len(ratios) < ROUNDS):
        ratios.append(ratio(*callers, call))
    assert ratios[-1] < SLOWER_AT_MOST, ratios
