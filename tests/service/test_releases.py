"""Releases: draft, publish, roll back, compare, who and why."""

import contextlib
import threading

import pytest
import requests

from harness import configuration
from harness.configuration import assert_problem, call, export, get
from harness.realm import SECRET
from harness.service import CALL_SECS, Service
from harness.standard import MIRROR, standard_realm
from harness.wait import until

INIT = """
function execute() {
  return {status: 2000, responsePayload: "%s"};
}
"""

COMPLETE = """
function execute() {
  return {status: 2000, user: {id: "u"}, responsePayload: "%s"};
}
"""

# An API client with the scope `config` alone.
CONFIG = ("configurer", SECRET)


def releases_realm():
    realm = standard_realm("versions", "plain")
    realm.idp("versions", COMPLETE % "one", init=INIT % "one")
    realm.idp("plain", MIRROR)
    realm.api_client(CONFIG[0], "config")
    realm.api_client("auditor", "events")
    return realm


@pytest.fixture(scope="module")
def running_service():
    with Service(releases_realm(), in_store=True) as service:
        yield service


@pytest.fixture
def idp(service, request):
    """An identity provider of this test's own, with the release "one"."""
    name = request.node.name.removeprefix("test_").split("[")[0]
    answer = call(service, "POST", "/idps", {
        "id": name, "type": "two_step",
        "scripts": {"init": INIT % "one", "complete": COMPLETE % "one"}})
    assert answer.status_code == 201, answer.text
    idps = get(service, "/clients/app").json()["idps"]
    assert call(service, "PATCH", "/clients/app",
                {"idps": [*idps, name]}).status_code == 204
    return name


def path_of(idp, release=None, step=None):
    return "/".join(filter(None, [f"/idps/{idp}/releases", release, step]))


def draft(service, idp, word, **members):
    body = {"scripts": {"init": INIT % word, "complete": COMPLETE % word},
            **members}
    answer = call(service, "POST", path_of(idp), body)
    assert answer.status_code == 201, answer.text
    release = answer.json()["release"]
    assert answer.headers["Location"].endswith(path_of(idp, release))
    return release


def publish(service, idp, release, **options):
    body = options.pop("body", {})
    return call(service, "POST", path_of(idp, release, "publish"), body,
                **options)


def published(service, idp, word, **body):
    release = draft(service, idp, word)
    answer = publish(service, idp, release, body=body)
    assert answer.status_code == 200, answer.text
    return release


def roll_back(service, idp, **options):
    body = options.pop("body", {})
    return call(service, "POST", f"/idps/{idp}/rollback", body, **options)


def rows(service, idp, query=""):
    answer = get(service, path_of(idp) + query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def live(service, idp):
    return get(service, path_of(idp, "live")).json()["release"]


def complete(service, idp, transaction=None):
    transaction = transaction or service.transaction(idp)
    answer = service.complete(idp, transaction=transaction)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


# -- drafts -------------------------------------------------------------------

def test_a_draft_serves_nobody(service, idp):
    before = export(service)
    first = live(service, idp)
    release = draft(service, idp, "two", why="a try")
    assert export(service) == before
    assert complete(service, idp) == "one"
    assert live(service, idp) == first
    shown = get(service, path_of(idp, release))
    body = shown.json()
    assert body["state"] == "draft"
    assert body["created_by"] == configuration.ADMIN[0]
    assert body["created_why"] == "a try"
    assert body["published_at"] is None
    assert body["scripts"] == {"init": INIT % "two",
                               "complete": COMPLETE % "two",
                               "backchannel": None}
    assert body["settings"]["wall_ms"] == 5000
    assert shown.headers["ETag"]
    assert get(service, path_of(idp, release[:8])).json() == body
    assert get(service, path_of(idp, release.upper())).json() == body


def test_what_is_left_out_is_as_live(service, idp):
    answer = call(service, "POST", path_of(idp), {
        "scripts": {"complete": COMPLETE % "two"},
        "settings": {"wall_ms": 1234}})
    assert answer.status_code == 201, answer.text
    body = get(service, path_of(idp, answer.json()["release"])).json()
    assert body["scripts"]["init"] == INIT % "one"
    assert body["settings"]["wall_ms"] == 1234
    answer = call(service, "POST", path_of(idp), {"scripts": {"init": None}})
    body = get(service, path_of(idp, answer.json()["release"])).json()
    assert body["scripts"]["init"] is None
    assert body["settings"]["wall_ms"] == 5000


def test_a_script_that_does_not_compile(service, idp):
    before = rows(service, idp)
    details = assert_problem(call(service, "POST", path_of(idp), {
        "scripts": {"complete": "function execute() {\n  return 1 +;\n}\n"}}),
        400, "invalid_script")
    assert len(details) == 1
    assert details[0]["file"] == f"idps/{idp}/complete.js"
    assert details[0]["line"] == 2
    assert "SyntaxError" in details[0]["message"]
    assert rows(service, idp) == before


@pytest.mark.parametrize("body, code", [
    ({"settings": {"wall_ms": 1}}, "invalid_realm"),
    ({"settings": {"wall": 5}}, "invalid_realm"),
    ({"settings": 5}, "invalid_request"),
    ({"scripts": {"complete": 5}}, "invalid_request"),
    ({"scripts": {"finish": ""}}, "invalid_request"),
    ({"script": {}}, "invalid_request"),
    ({"scripts": {"init": INIT % "x"}, "why": "w" * 501}, "invalid_request"),
])
def test_a_draft_with_mistakes(service, body, code):
    before = rows(service, "versions")
    assert_problem(call(service, "POST", path_of("versions"), body), 400, code)
    assert rows(service, "versions") == before


def test_a_draft_needs_complete(service, idp):
    assert_problem(call(service, "POST", path_of(idp),
                        {"scripts": {"complete": None}}), 400,
                   "invalid_script")


def test_a_draft_of_what_is_live(service, idp):
    assert_problem(call(service, "POST", path_of(idp), {}), 409, "conflict")
    assert_problem(call(service, "POST", path_of(idp), {
        "scripts": {"complete": COMPLETE % "one"}}), 409, "conflict")


def test_the_same_draft_again_is_one(service, idp):
    assert draft(service, idp, "two") == draft(service, idp, "two")
    assert [row["state"] for row in rows(service, idp)] == ["draft", "live"]


def test_drafts_are_deleted(service, idp):
    release = draft(service, idp, "two")
    etag = get(service, path_of(idp, release)).headers["ETag"]
    answer = call(service, "DELETE", path_of(idp, release),
                  headers={"If-Match": '"another"'})
    assert_problem(answer, 412, "precondition_failed")
    answer = call(service, "DELETE", path_of(idp, release),
                  headers={"If-Match": etag})
    assert answer.status_code == 204, answer.text
    assert_problem(get(service, path_of(idp, release)), 404, "not_found")
    assert_problem(call(service, "DELETE", path_of(idp, "live")), 409,
                   "conflict")


def test_twenty_drafts_are_enough(service, idp):
    for number in range(20):
        draft(service, idp, f"draft {number}")
    answer = call(service, "POST", path_of(idp),
                  {"scripts": {"complete": COMPLETE % "one more"}})
    assert_problem(answer, 409, "conflict")
    first = rows(service, idp, "?limit=15")
    assert len(first) == 15
    rest = rows(service, idp, f"?limit=15&after={first[-1]['number']}")
    assert len(rest) == 6
    numbers = [row["number"] for row in first + rest]
    assert numbers == sorted(numbers, reverse=True)
    for row in first[:5]:
        call(service, "DELETE", path_of(idp, row["release"]))


# -- publishing ---------------------------------------------------------------

def test_publish(service, idp):
    first = live(service, idp)
    release = draft(service, idp, "two", why="written")
    answer = publish(service, idp, release, body={"why": "let out"})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"release": release, "previous": first,
                             "warnings": []}
    assert complete(service, idp) == "two"
    assert export(service)[f"idps/{idp}/complete.js"] == COMPLETE % "two"
    row = rows(service, idp)[0]
    assert row["state"] == "live" and row["release"] == release
    assert row["created_why"] == "written"
    assert row["published_why"] == "let out"
    assert row["published_by"] == configuration.ADMIN[0]
    assert row["published_at"] >= row["created_at"] > 1700000000
    assert [r["state"] for r in rows(service, idp)] == ["live", "past"]
    # Again is no new row.
    again = publish(service, idp, release)
    assert again.json()["previous"] == release
    assert len(rows(service, idp)) == 2


def test_settings_are_published(service, idp):
    path = f"idps/{idp}/idp.yaml"
    before = export(service)
    answer = call(service, "POST", path_of(idp),
                  {"settings": {"wall_ms": 1234, "log_kib": 1}})
    release = answer.json()["release"]
    assert publish(service, idp, release).status_code == 200
    text = export(service)[path]
    assert "wall_ms: 1234" in text and "log_kib: 1" in text
    assert roll_back(service, idp).status_code == 200
    assert export(service) == before


def test_transactions_end_on_their_release(service, idp):
    old = service.transaction(idp)
    published(service, idp, "two")
    new = service.transaction(idp)
    assert roll_back(service, idp).status_code == 200
    assert complete(service, idp, new) == "two"
    assert complete(service, idp, old) == "one"


def test_roll_back_twice_goes_further_back(service, idp):
    releases = [live(service, idp)] + [
        published(service, idp, word) for word in ("two", "three")]
    assert_back = roll_back(service, idp, body={"why": "broken"})
    assert assert_back.json()["release"] == releases[1]
    assert assert_back.json()["previous"] == releases[2]
    row = rows(service, idp)[0]
    assert row["rollback"] is True and row["published_why"] == "broken"
    assert roll_back(service, idp).json()["release"] == releases[0]
    assert complete(service, idp) == "one"
    assert_problem(roll_back(service, idp), 409, "conflict")


def test_a_past_release_is_published_again(service, idp):
    first = live(service, idp)
    published(service, idp, "two")
    assert publish(service, idp, first[:12]).status_code == 200
    assert complete(service, idp) == "one"
    assert rows(service, idp)[0]["rollback"] is False


def test_a_lost_update(service, idp):
    release = draft(service, idp, "two")
    etag = get(service, path_of(idp, "live")).headers["ETag"]
    published(service, idp, "three")
    answer = publish(service, idp, release, headers={"If-Match": etag})
    assert_problem(answer, 412, "precondition_failed")
    assert_problem(roll_back(service, idp, headers={"If-Match": etag}), 412,
                   "precondition_failed")
    assert complete(service, idp) == "three"
    etag = get(service, path_of(idp, "live")).headers["ETag"]
    answer = publish(service, idp, release, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text


def test_changes_of_scripts_are_releases(service, idp):
    answer = call(service, "PATCH", f"/idps/{idp}",
                  {"scripts": {"complete": COMPLETE % "patched"}}, auth=CONFIG)
    assert answer.status_code == 204, answer.text
    row = rows(service, idp)[0]
    assert row["state"] == "live" and row["published_by"] == CONFIG[0]
    files = export(service)
    files[f"idps/{idp}/complete.js"] = COMPLETE % "applied"
    answer = configuration.apply(service, files, why="by hand")
    assert answer.status_code == 200, answer.text
    row = rows(service, idp)[0]
    assert row["published_why"] == "by hand"
    # What is no part of a release is no row.
    assert call(service, "PATCH", f"/idps/{idp}",
                {"name": "Another"}).status_code == 204
    assert rows(service, idp)[0] == row
    assert roll_back(service, idp).status_code == 200
    assert complete(service, idp) == "patched"
    assert get(service, f"/idps/{idp}").json()["name"] == "Another"


def test_diff(service, idp):
    release = draft(service, idp, "two")
    answer = get(service, path_of(idp, release, "diff")).json()
    assert answer["against"] == live(service, idp)
    assert answer["release"] == release
    assert f"--- a/idps/{idp}/complete.js\n" in answer["diff"]
    assert '-  return {status: 2000, user: {id: "u"}, ' \
        'responsePayload: "one"};\n' in answer["diff"]
    back = get(service, path_of(idp, "live", "diff")
               + f"?against={release[:10]}").json()
    assert '+  return {status: 2000, responsePayload: "one"};\n' \
        in back["diff"]
    same = get(service, path_of(idp, release, "diff")
               + f"?against={release}").json()
    assert same["diff"] == ""


def test_events_say_who_and_why(service, idp):
    release = draft(service, idp, "two", why="to see")
    publish(service, idp, release, body={"why": "good"}, auth=CONFIG)
    roll_back(service, idp, body={"why": "bad"})

    drafted, out, back = until(lambda: events_of(service, idp, 3),
                               "three events", 10)
    assert drafted["type"] == "RELEASE_DRAFTED"
    assert drafted["client_id"] == configuration.ADMIN[0]
    assert out["type"] == "RELEASE_PUBLISHED"
    assert out["client_id"] == CONFIG[0]
    assert out["release"] == release
    assert "good" in out["detail"]
    assert back["type"] == "RELEASE_ROLLED_BACK"
    assert "bad" in back["detail"]


def events_of(service, idp, count):
    """Its events about releases, oldest first, once there are so many."""
    answer = requests.get(
        service.url + "/oauth/api/v1/events", params={"idp": idp},
        auth=("auditor", SECRET), timeout=CALL_SECS)
    assert answer.status_code == 200, answer.text
    found = [event for event in answer.json()["events"]
             if event["type"].startswith("RELEASE_")]
    return found[::-1] if len(found) == count else None


def test_names_of_releases(service, idp):
    first = live(service, idp)
    for name in (first[:7], first + "0", "none", "zzzzzzzzzz", "0" * 64):
        assert_problem(get(service, path_of(idp, name)), 404, "not_found")
        assert_problem(publish(service, idp, name), 404, "not_found")
    assert_problem(get(service, path_of("nowhere", "live")), 404, "not_found")
    assert_problem(get(service, path_of(idp) + "?after=x"), 400,
                   "invalid_request")
    # Of another identity provider.
    other = live(service, "plain")
    assert_problem(get(service, path_of(idp, other)), 404, "not_found")


def test_config_is_enough_and_needed(service, idp):
    release = draft(service, idp, "two")
    assert get(service, path_of(idp), auth=CONFIG).status_code == 200
    for client in ("auditor", "backend"):
        answer = publish(service, idp, release, auth=(client, CONFIG[1]))
        assert_problem(answer, 403, "insufficient_permissions")
    assert publish(service, idp, release, auth=CONFIG).status_code == 200


def test_deleted_with_its_history(service, idp):
    published(service, idp, "two")
    idps = get(service, "/clients/app").json()["idps"]
    idps.remove(idp)
    assert call(service, "PATCH", "/clients/app",
                {"idps": idps}).status_code == 204
    assert call(service, "DELETE", f"/idps/{idp}").status_code == 204
    assert_problem(get(service, path_of(idp)), 404, "not_found")


# -- a restart, load, a directory ---------------------------------------------

def test_history_outlives_a_kill(start):
    service = start(releases_realm(), in_store=True)
    transaction = service.transaction("versions")
    published(service, "versions", "two")
    draft(service, "versions", "three")
    before = rows(service, "versions")
    service.gateway.kill()
    service.restart(service.gateway)
    assert rows(service, "versions") == before
    assert complete(service, "versions", transaction) == "one"
    assert complete(service, "versions") == "two"


def test_a_kill_leaves_one_release_or_the_other(start):
    service = start(releases_realm(), in_store=True)
    words = {live(service, "versions"): "one"}
    words[draft(service, "versions", "two")] = "two"
    for attempt in range(6):
        target = next(r for r in words if r != live(service, "versions"))

        def change(target=target):
            with contextlib.suppress(requests.RequestException):
                publish(service, "versions", target)

        thread = threading.Thread(target=change)
        thread.start()
        # From before the change to after its answer.
        thread.join(attempt * 0.004)
        service.gateway.kill()
        thread.join()
        service.restart(service.gateway)
        serving = words[live(service, "versions")]
        files = export(service)
        assert files["idps/versions/complete.js"] == COMPLETE % serving
        assert files["idps/versions/init.js"] == INIT % serving
        assert complete(service, "versions") == serving
        states = [row["state"] for row in rows(service, "versions")]
        assert states.count("live") == 1


def test_many_publish_at_once(service, idp):
    releases = [live(service, idp)] + [
        draft(service, idp, word) for word in ("two", "three")]
    answers = []

    def client(number):
        for turn in range(4):
            answers.append(publish(
                service, idp, releases[(number + turn) % len(releases)]))

    clients = [threading.Thread(target=client, args=(number,))
               for number in range(4)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    states = [row["state"] for row in rows(service, idp)]
    assert states[0] == "live" and states.count("live") == 1
    # Each says truly what it took the place of: they make one chain.
    moves = [(a.json()["previous"], a.json()["release"]) for a in answers
             if a.json()["previous"] != a.json()["release"]]
    assert len(moves) == len(states) - 1


def test_publish_under_load(start):
    service = start(releases_realm(), in_store=True)
    words = {live(service, "versions"): "one"}
    opened = [service.transaction("versions") for _ in range(20)]
    for word in ("two", "three"):
        words[draft(service, "versions", word)] = word
    failures, answers, stop = [], [], threading.Event()

    def client():
        while not stop.is_set():
            begun = service.init("versions")
            if begun.status_code != 200:
                failures.append(begun.text)
                continue
            ended = service.complete(
                "versions", transaction=begun.json()["transaction_id"])
            if ended.status_code != 200:
                failures.append(ended.text)
            elif begun.json()["data"] != ended.json()["data"]:
                failures.append([begun.text, ended.text])
            else:
                answers.append(ended.json()["data"])

    clients = [threading.Thread(target=client) for _ in range(6)]
    for thread in clients:
        thread.start()
    for _ in range(4):
        for release in words:
            answer = publish(service, "versions", release)
            assert answer.status_code == 200, answer.text
            seen = len(answers)
            until(lambda: len(answers) > seen + 10 or failures,
                  "requests between two releases", 30)
        assert roll_back(service, "versions").status_code == 200
    stop.set()
    for thread in clients:
        thread.join()
    assert not failures, failures[:3]
    assert set(answers) == {"one", "two", "three"}
    for transaction in opened:
        assert complete(service, "versions", transaction) == "one"


def test_a_directory_keeps_history_and_takes_no_change(start):
    realm = releases_realm()
    service = start(realm)
    first = live(service, "versions")
    row = rows(service, "versions")[0]
    assert row["state"] == "live" and row["published_by"] is None
    realm.idp("versions", COMPLETE % "two", init=INIT % "two")
    service.reload()
    second = live(service, "versions")
    assert [r["release"] for r in rows(service, "versions")] == [second, first]
    assert "two" in get(
        service, path_of("versions", "live", "diff") + f"?against={first}"
    ).json()["diff"]
    for answer in (
            call(service, "POST", path_of("versions"),
                 {"scripts": {"complete": COMPLETE % "three"}}),
            publish(service, "versions", first),
            roll_back(service, "versions"),
            call(service, "DELETE", path_of("versions", first))):
        assert_problem(answer, 409, "read_only")
    assert complete(service, "versions") == "two"
