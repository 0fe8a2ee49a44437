"""The configuration API's resources: added, shown, changed, removed; lost
updates, mistakes and dangling references change nothing; plan, apply and
export; keys, engines, the log."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from harness.configuration import (ADMIN, BASE, apply, assert_problem, call,
                                   export, get, revision)
from harness.processes import SLOWNESS
from harness.realm import SECRET
from harness.service import Service, success, unique
from harness.standard import MIRROR, standard_realm
from harness.wait import until

CONFIGURER = ("configurer", SECRET)

THROWS = 'function execute() { LOG.info("seen {}", 1); throw new Error("no"); }'


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("throws")
    realm.api_client("configurer", "config", "events")
    realm.idp("throws", THROWS, record={"mode": "all", "keep": 5})
    return realm


@pytest.fixture(scope="module")
def running_service(realm):
    with Service(realm, in_store=True) as service:
        yield service


@pytest.fixture
def unchanged(service):
    """The test changes nothing."""
    before = revision(service)
    yield
    assert revision(service) == before


def create(service, collection, body, auth=ADMIN):
    """Its path, where it is, and what the answer said."""
    answer = call(service, "POST", "/" + collection, body, auth)
    assert answer.status_code == 201, answer.text
    location = answer.headers["Location"]
    assert location.startswith(f"{BASE}/{collection.split('?')[0]}/"), location
    return location.removeprefix(BASE), answer


# -- resources ------------------------------------------------------------------

RESOURCES = {
    "scopes": (lambda: {"id": unique("s"), "description": "one"},
               {"description": "two"}),
    "properties": (lambda: {"id": unique("p").replace("-", "_"),
                            "value": "one"}, {"value": "two"}),
    "clients": (lambda: {"client_id": unique("c"),
                         "client_secret": {"plain": SECRET},
                         "name": "one", "idps": ["mirror"],
                         "access_token": {"lifetime_secs": 60}},
                {"name": "two", "access_token": {"format": "jwt"}}),
    "api-clients": (lambda: {"client_id": unique("a"), "name": "one",
                             "client_secret": {"plain": SECRET},
                             "scopes": ["events"]}, {"name": "two"}),
    "idps": (lambda: {"id": unique("i"), "name": "one", "type": "one_step",
                      "scripts": {"complete": MIRROR}}, {"name": "two"}),
}


@pytest.fixture(params=RESOURCES)
def resource(request):
    make, change = RESOURCES[request.param]
    return request.param, make(), change


def id_of(body):
    return body.get("client_id", body.get("id"))


def merged(document, change):
    """RFC 7396."""
    if not isinstance(change, dict):
        return change
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def test_life_of_a_resource(service, resource):
    collection, body, change = resource
    before = revision(service)
    path, answer = create(service, collection, body)
    assert answer.json()["id"] == id_of(body)
    assert path.endswith("/" + id_of(body))
    shown = get(service, path)
    assert shown.status_code == 200
    assert shown.headers["ETag"] == answer.headers["ETag"]
    document = shown.json()
    expected = {k: v for k, v in body.items() if k != "scripts"}
    if "client_secret" in body:
        expected["client_secret"] = {"keep": id_of(body)}
    assert document == expected
    assert document in get(service, f"/{collection}?limit=200").json()["items"]
    answer = call(service, "PATCH", path, change,
                  headers={"If-Match": shown.headers["ETag"]})
    assert (answer.status_code, answer.text) == (204, "")
    assert "Content-Length" not in answer.headers
    changed = get(service, path)
    assert changed.json() == merged(document, change)
    assert changed.headers["ETag"] == answer.headers["ETag"]
    assert changed.headers["ETag"] != shown.headers["ETag"]
    answer = call(service, "DELETE", path,
                  headers={"If-Match": changed.headers["ETag"]})
    assert (answer.status_code, answer.text) == (204, "")
    assert_problem(get(service, path), 404, "not_found")
    assert revision(service) == before


def test_lost_updates(service, resource):
    collection, body, change = resource
    path, answer = create(service, collection, body)
    stale = answer.headers["ETag"]
    assert call(service, "PATCH", path, change,
                headers={"If-Match": stale}).status_code == 204
    before = revision(service)
    for method, sent in (("PATCH", {}), ("DELETE", None)):
        for tag in (stale, f"W/{stale}", '"x"', '"' + "a" * 500 + '"'):
            assert_problem(call(service, method, path, sent,
                                headers={"If-Match": tag}),
                           412, "precondition_failed")
    for tag in ("x", '"', f"{stale}, {stale}"):
        assert_problem(call(service, "DELETE", path,
                            headers={"If-Match": tag}),
                       400, "invalid_request")
    assert revision(service) == before
    assert call(service, "DELETE", path,
                headers={"If-Match": "*"}).status_code == 204


def test_what_is_there_already(service, resource):
    collection, body, _ = resource
    path, _ = create(service, collection, body)
    before = revision(service)
    assert_problem(call(service, "POST", "/" + collection, body), 409,
                   "exists")
    assert revision(service) == before
    assert call(service, "DELETE", path).status_code == 204


def test_what_is_not_there(service, resource, unchanged):
    collection, _, change = resource
    for name in ("no-such", "%00", "%ff", "a%2Fb", "*", "%22"):
        path = f"/{collection}/{name}"
        assert_problem(get(service, path), 404, "not_found")
        assert_problem(call(service, "PATCH", path, change), 404, "not_found")
        assert_problem(call(service, "DELETE", path), 404, "not_found")


def test_mistakes_name_the_key(service, resource, unchanged):
    collection, body, _ = resource
    details = assert_problem(
        call(service, "POST", "/" + collection, {**body, "misspelt": 1}),
        400, "invalid_realm")
    assert any(d["key"] and "misspelt" in d["key"] for d in details), details


def test_a_patch_cannot_change_the_id(service, resource):
    collection, body, _ = resource
    path, _ = create(service, collection, body)
    before = revision(service)
    key = "client_id" if "client_id" in body else "id"
    answer = call(service, "PATCH", path, {key: "another"})
    assert answer.status_code == 400, answer.text
    assert revision(service) == before
    assert call(service, "DELETE", path).status_code == 204


def test_a_patch_with_null_removes_a_key(service):
    path, _ = create(service, "clients", {
        "client_id": unique("c"), "name": "one", "profile": "required",
        "client_secret": {"plain": SECRET}})
    assert call(service, "PATCH", path, {"profile": None}).status_code == 204
    assert "profile" not in get(service, path).json()
    assert call(service, "DELETE", path).status_code == 204


def test_settings_of_the_realm(service):
    shown = get(service, "/realm")
    assert shown.json()["read_only"] is False
    answer = call(service, "PATCH", "/realm",
                  {"transaction": {"lifetime_secs": 77}},
                  headers={"If-Match": shown.headers["ETag"]})
    assert answer.status_code == 204
    changed = get(service, "/realm")
    assert changed.json()["settings"]["transaction"] == {"lifetime_secs": 77}
    assert changed.json()["settings"]["attempts"]
    assert changed.json()["revision"] != shown.json()["revision"]
    assert_problem(call(service, "PATCH", "/realm", {"transaction": None},
                        headers={"If-Match": shown.headers["ETag"]}),
                   412, "precondition_failed")
    assert call(service, "PATCH", "/realm",
                {"transaction": None}).status_code == 204
    assert get(service, "/realm").json() == shown.json()


def test_pages(service):
    ids = sorted(unique("page") for _ in range(7))
    for scope in ids:
        create(service, "scopes", {"id": scope})
    seen, after, pages = [], None, 0
    while True:
        page = get(service, "/scopes", params={
            "limit": 3, **({} if after is None else {"after": after})}).json()
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        pages += 1
        after = page["next_after"]
        if after is None:
            break
        assert after == seen[-1]
    assert seen == sorted(seen) and set(ids) <= set(seen)
    assert pages == -(-len(seen) // 3)
    # After an id that is not there any more: the next ones.
    assert call(service, "DELETE", f"/scopes/{ids[3]}").status_code == 204
    page = get(service, f"/scopes?limit=1&after={ids[3]}").json()
    assert page["items"][0]["id"] == ids[4]
    for scope in set(ids) - {ids[3]}:
        assert call(service, "DELETE", f"/scopes/{scope}").status_code == 204


def test_odd_pages(service):
    for query in ("limit=0", "limit=201", "limit=x", "limit=", "limit=1&limit=2",
                  "after=%ff"):
        assert_problem(get(service, "/clients?" + query), 400,
                       "invalid_request")
    assert get(service, "/clients?after=zzzz").json() == {
        "items": [], "next_after": None}


# -- what refers to each other --------------------------------------------------

def test_a_dangling_reference(service, unchanged):
    details = assert_problem(call(service, "POST", "/clients", {
        "client_id": "dangling", "idps": ["no-such-idp"]}),
        400, "invalid_realm")
    assert any(d["file"] == "clients/dangling.yaml"
               and (d["key"] or "").startswith("idps")
               and "no-such-idp" in d["message"] for d in details), details
    details = assert_problem(
        call(service, "PATCH", "/clients/app", {"default_scopes": ["none"]}),
        400, "invalid_realm")
    assert any((d["key"] or "").startswith("default_scopes")
               for d in details), details
    assert service.complete("mirror", success()).status_code == 200


def test_what_is_used_stays(service, unchanged):
    details = assert_problem(call(service, "DELETE", "/idps/mirror"), 409,
                             "in_use")
    assert any(d["file"] == "clients/app.yaml" for d in details), details
    details = assert_problem(call(service, "DELETE", "/scopes/openid"), 409,
                             "in_use")
    assert details


def test_a_script_that_does_not_compile(service, unchanged):
    body = {"id": "broken", "type": "one_step", "scripts": {
        "complete": "function execute() {\n  var = 1;\n}\n"}}
    details = assert_problem(call(service, "POST", "/idps", body), 400,
                             "invalid_realm")
    assert any(d["file"] == "idps/broken/complete.js" and d["line"] == 2
               for d in details), details


def test_an_idp_at_work(service):
    """Added, used, its script changed, removed: by the API alone."""
    idp, client = unique("i"), unique("c")
    create(service, "idps", {
        "id": idp, "type": "one_step", "scripts": {
            "complete": "function execute() { return {status: 4001}; }"}})
    _, answer = create(service, "clients", {
        "client_id": client, "idps": [idp], "default_scopes": ["read"]})
    secret = answer.json()["client_secret"]

    def complete():
        return service.complete(idp, "x", client=None, auth=(client, secret))
    assert complete().json()["status"] == 4001
    etag = get(service, f"/idps/{idp}").headers["ETag"]
    assert call(service, "PATCH", f"/idps/{idp}", {"scripts": {"complete":
                "function execute() { return {status: 4002}; }"}}
                ).status_code == 204
    assert get(service, f"/idps/{idp}").headers["ETag"] != etag
    assert complete().json()["status"] == 4002
    assert call(service, "DELETE", f"/clients/{client}").status_code == 204
    assert call(service, "DELETE", f"/idps/{idp}").status_code == 204
    assert complete().status_code == 400  # invalid_client


# -- secrets ---------------------------------------------------------------------

def is_known(service, client, secret):
    answer = service.complete("mirror", success(), client=None,
                              auth=(client, secret))
    return answer.status_code == 200


def test_generated_secrets_are_shown_once(service):
    client = unique("c")
    path, answer = create(service, "clients", {
        "client_id": client, "idps": ["mirror"], "default_scopes": ["read"]})
    first = answer.json()["client_secret"]
    assert len(first) >= 43  # 256 bits
    assert is_known(service, client, first)
    assert get(service, path).json()["client_secret"] == {"keep": client}
    assert first not in get(service, path).text + json.dumps(export(service))
    answer = call(service, "PATCH", path, {"client_secret": None})
    assert answer.status_code == 200
    second = answer.json()["client_secret"]
    assert second != first and is_known(service, client, second)
    assert not is_known(service, client, first)
    answer = call(service, "PATCH", path, {"name": "renamed"})
    assert answer.status_code == 204 and is_known(service, client, second)
    assert call(service, "DELETE", path).status_code == 204


def test_a_kept_secret_must_be_there(service, unchanged):
    assert_problem(call(service, "POST", "/clients", {
        "client_id": "keeper", "client_secret": {"keep": "keeper"}}),
        400, "invalid_realm")


@pytest.mark.parametrize("members", [
    {"env": "HOME"}, {"file": "/etc/passwd"}, {"env": "PATH"},
    {"file": "../../etc/passwd"}], ids=str)
def test_the_gateways_own_files_cannot_be_read(service, unchanged, members):
    assert_problem(call(service, "POST", "/properties",
                        {"id": "stolen", **members}), 400, "invalid_realm")
    assert_problem(call(service, "POST", "/clients", {
        "client_id": "stolen", "client_secret": members}),
        400, "invalid_realm")


# -- who may ---------------------------------------------------------------------

def test_only_admin_writes_what_is_sensitive(service):
    sensitive = [{"id": "hidden", "value": "v", "sensitive": True},
                 {"id": "hidden", "value": "v", "kind": "key"}]
    for body in sensitive:
        before = revision(service)
        assert_problem(call(service, "POST", "/properties", body, CONFIGURER),
                       403, "insufficient_permissions")
        assert revision(service) == before
        path, _ = create(service, "properties", body)
        shown = get(service, path, auth=CONFIGURER).json()
        assert shown.get("keep") == "hidden" and "value" not in shown
        for method, sent in (("PATCH", {"value": "w"}), ("DELETE", None)):
            assert_problem(call(service, method, path, sent, CONFIGURER), 403,
                           "insufficient_permissions")
        assert call(service, "DELETE", path).status_code == 204


def test_making_a_property_plain_does_not_tell_it(service):
    path, _ = create(service, "properties", {
        "id": "was_hidden", "value": "shown-to-nobody", "sensitive": True})
    answer = call(service, "PATCH", path, {"sensitive": False})
    assert answer.status_code in (204, 400), answer.text
    shown = get(service, path).text + json.dumps(export(service))
    assert "shown-to-nobody" not in shown
    assert call(service, "DELETE", path).status_code == 204


def test_config_may_not_apply_what_needs_admin(service, unchanged):
    files = export(service, auth=CONFIGURER)
    files["api-clients/sneaky.yaml"] = (
        "client_id: sneaky\nscopes: [admin]\n")
    answer = call(service, "POST", "/realm/apply", {"files": files},
                  CONFIGURER)
    assert_problem(answer, 403, "insufficient_permissions")
    plan = call(service, "POST", "/realm/plan", {"files": files}, CONFIGURER)
    assert plan.status_code == 200, plan.text
    assert [(c["path"], c["action"], c["admin"])
            for c in plan.json()["changes"]] == [
        ("api-clients/sneaky.yaml", "add", True)]


def test_the_first_api_client_is_of_this_listener_alone(service):
    answer = requests.get(service.url + "/oauth/api/v1/events", auth=ADMIN,
                          timeout=20)
    assert answer.status_code == 401
    assert_problem(get(service, "/api-clients/" + ADMIN[0]), 404, "not_found")
    assert ADMIN[0] not in json.dumps(export(service))


# -- plan, apply, export -----------------------------------------------------------

def test_export_plan_apply_export(service):
    first = get(service, "/realm/export")
    files = first.json()["files"]
    assert first.headers["ETag"] == f'"{first.json()["revision"]}"'
    plan = call(service, "POST", "/realm/plan", {"files": files}).json()
    assert plan == {"revision": first.json()["revision"], "changes": [],
                    "warnings": []}
    answer = apply(service, files, revision=first.json()["revision"])
    assert answer.json() == {**plan, "secrets": {}}
    assert get(service, "/realm/export").content == first.content
    edited = dict(files)
    edited["clients/app.yaml"] = files["clients/app.yaml"].replace(
        "client_id: app", "# a comment\nname: Edited\nclient_id: app", 1)
    edited["idps/extra/idp.yaml"] = "type: one_step\n"
    edited["idps/extra/complete.js"] = MIRROR
    del edited["idps/unassigned/idp.yaml"]
    del edited["idps/unassigned/complete.js"]
    plan = call(service, "POST", "/realm/plan", {"files": edited}).json()
    changes = {c["path"]: c for c in plan["changes"]}
    assert {path: c["action"] for path, c in changes.items()} == {
        "clients/app.yaml": "change", "idps/extra/idp.yaml": "add",
        "idps/extra/complete.js": "add", "idps/unassigned/idp.yaml": "remove",
        "idps/unassigned/complete.js": "remove"}
    app = changes["clients/app.yaml"]
    assert app["before"] == files["clients/app.yaml"]
    assert "name: Edited\n" in app["after"] and "#" not in app["after"]
    assert changes["idps/extra/idp.yaml"]["before"] is None
    assert changes["idps/unassigned/idp.yaml"]["after"] is None
    assert get(service, "/realm/export").content == first.content
    answer = apply(service, edited, dry_run=True)
    assert answer.json()["revision"] == plan["revision"]
    assert get(service, "/realm/export").content == first.content
    answer = apply(service, edited, why="an edit")
    assert answer.json()["revision"] == plan["revision"]
    assert export(service)["clients/app.yaml"] == app["after"]
    assert_problem(apply(service, files,
                         revision=first.json()["revision"]),
                   412, "precondition_failed")
    assert apply(service, files).status_code == 200
    assert get(service, "/realm/export").content == first.content


def test_an_apply_with_a_mistake_changes_nothing(service, unchanged):
    files = export(service)
    files["clients/app.yaml"] = files["clients/app.yaml"].replace(
        "client_id: app", "client_id: app\nnot_a_key: 1", 1)
    details = assert_problem(apply(service, files), 400, "invalid_realm")
    assert any(d["file"] == "clients/app.yaml" and d["line"] == 2
               and d["key"] == "not_a_key" for d in details), details


def test_an_apply_says_which_secrets_it_made(service):
    files = export(service)
    client = unique("c")
    files[f"clients/{client}.yaml"] = (
        f"client_id: {client}\nidps: [mirror]\ndefault_scopes: [read]\n")
    answer = apply(service, files).json()
    assert set(answer["secrets"]) == {client}
    assert is_known(service, client, answer["secrets"][client])
    assert apply(service, export(service)).json()["secrets"] == {}
    assert call(service, "DELETE", f"/clients/{client}").status_code == 204


@pytest.mark.parametrize("body", [
    {}, {"files": []}, {"files": {"realm.yaml": 1}}, {"files": {}, "x": 1},
    {"files": {}, "dry_run": 1}, {"files": {}, "revision": 1},
    {"files": {"realm.yaml": "a: [\n"}}, {"files": {"../x": ""}}], ids=str)
def test_odd_applies(service, unchanged, body):
    answer = call(service, "POST", "/realm/apply",
                  {**body, "dry_run": body.get("dry_run", True)})
    if answer.status_code == 200:  # left out, with a warning
        assert answer.json()["warnings"], answer.text
    else:
        assert answer.status_code == 400, answer.text


# -- many at a time -----------------------------------------------------------

def test_writers_at_once_lose_nothing(service):
    """Changes are made one at a time, whoever asks."""
    ids = [unique("at-once") for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(
            lambda scope: call(service, "POST", "/scopes", {"id": scope}),
            ids))
        assert [a.status_code for a in answers] == [201] * len(ids)
        etag = get(service, "/scopes/" + ids[0]).headers["ETag"]
        answers = list(pool.map(
            lambda number: call(service, "PATCH", "/scopes/" + ids[0],
                                {"description": f"by {number}"},
                                headers={"If-Match": etag}), range(8)))
    # One of those who read the same came first.
    assert sorted(a.status_code for a in answers) == [204] + [412] * 7
    for scope in ids:
        assert call(service, "DELETE", "/scopes/" + scope).status_code == 204


def test_a_realm_of_many_mebibytes(service, unchanged):
    files = export(service)
    script = "// " + "x" * 250 * 1024 + "\nfunction execute() {}\n"
    for number in range(30):
        files[f"idps/large-{number}/idp.yaml"] = "type: one_step\n"
        files[f"idps/large-{number}/complete.js"] = script
    plan = call(service, "POST", "/realm/plan", {"files": files})
    assert plan.status_code == 200, plan.text[:500]
    assert len(plan.json()["changes"]) == 60


# -- events ------------------------------------------------------------------------

def test_every_change_leaves_an_event(service):
    scope = unique("s")
    files = export(service)
    path, answer = create(service, "scopes?why=a%20scope", {"id": scope},
                          CONFIGURER)
    assert apply(service, files, why="back again").status_code == 200

    def events():
        found = requests.get(
            service.url + "/oauth/api/v1/events",
            params={"type": "CONFIGURATION_CHANGED", "limit": 2},
            auth=CONFIGURER, timeout=20).json()["events"]
        return found if len(found) == 2 else None
    after, before = until(events, "events of the changes")
    assert before["client_id"] == "configurer"
    assert after["client_id"] == ADMIN[0]
    assert before["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert "scopes.yaml" in before["detail"] or scope in before["detail"]
    assert "a scope" in before["detail"]
    assert "back again" in after["detail"]


@pytest.mark.parametrize("why", ["x" * 301, "\x01", "\n", "\x7f"],
                         ids=["long", "control", "line", "delete"])
def test_odd_reasons(service, unchanged, why):
    assert_problem(call(service, "POST", "/scopes", {"id": "reasoned"},
                        params={"why": why}), 400, "invalid_request")
    assert_problem(apply(service, export(service), why=why), 400,
                   "invalid_request")


# -- keys, engines, the log, status --------------------------------------------------

def test_keys(service):
    keys = get(service, "/keys").json()["items"]
    assert {key["slot"] for key in keys} >= {"next", "current"}
    assert {key["alg"] for key in keys} == {"RS256", "ES256", "PS256"}
    published = requests.get(service.url + "/oauth/v1/keys",
                             timeout=20).json()["keys"]
    assert {key["kid"] for key in keys} == {key["kid"] for key in published}
    assert_problem(call(service, "POST", "/keys/rotate"), 409, "too_soon")
    assert_problem(call(service, "POST", "/keys/rotate", {"force": 1}), 400,
                   "invalid_request")
    following = {key["kid"] for key in keys if key["slot"] == "next"}
    answer = call(service, "POST", "/keys/rotate", {"force": True})
    assert (answer.status_code, answer.text) == (204, "")
    keys = get(service, "/keys").json()["items"]
    assert {k["kid"] for k in keys if k["slot"] == "current"} == following


def test_engines(service):
    engine, = get(service, "/engines").json()["items"]
    assert engine["name"] == "one" and engine["slots"] == 4
    assert engine["state"] == "serving" and engine["running"] == 0
    assert engine["labels"] == [] and engine["version"]
    assert len(engine["boot_id"]) == 32 and engine["since"] > 0


def test_a_drained_engine_ends(start, realm):
    service = start(realm, in_store=True, engines=("one", "two"),
                    engine_flags=["--labels=eu,big"])
    assert [engine["labels"] for engine in get(
        service, "/engines").json()["items"]] == [["eu", "big"]] * 2
    drained = service.engines["two"]
    service.expected_ends.add(drained)
    answer = call(service, "POST", "/engines/two/drain", auth=CONFIGURER)
    assert (answer.status_code, answer.text) == (204, "")
    until(lambda: not drained.is_running(), "the drained engine to end")
    assert drained.popen.wait() == 0
    until(lambda: [engine["name"] for engine in get(
        service, "/engines").json()["items"]] == ["one"], "one to be left")
    assert service.complete("mirror", success()).status_code == 200
    assert_problem(call(service, "POST", "/engines/two/drain"), 404,
                   "not_found")
    found = until(lambda: requests.get(
        service.url + "/oauth/api/v1/events", params={"type": "ENGINE_DRAINED"},
        auth=CONFIGURER, timeout=20).json()["events"], "its event")
    assert (found[0]["client_id"], found[0]["detail"]) == ("configurer", "two")


def test_the_log_is_followed(service):
    start = get(service, "/log").json()
    assert start["lines"] == [] and start["lost"] == 0
    answer = service.complete("throws", "x")
    page = get(service, f"/log?after={start['next']}&wait_ms=20000"
                        "&idp=throws").json()
    while len(page["lines"]) < 2:
        more = get(service, f"/log?after={page['next']}&wait_ms=20000").json()
        page = {**more, "lines": page["lines"] + more["lines"]}
    said, failed = page["lines"]
    for line in (said, failed):
        assert line["correlation_id"] == answer.headers["X-Correlation-Id"]
        assert (line["idp"], line["script"]) == ("throws", "complete")
    assert (said["level"], said["text"]) == ("info", "seen 1")
    assert failed["level"] == "error" and "3001" in failed["text"]
    assert said["number"] < failed["number"] == page["next"]
    assert get(service, f"/log?after={page['next']}").json()["lines"] == []
    again = get(service, f"/log?after={start['next']}&idp=nobody").json()
    assert again["lines"] == [] and again["next"] == page["next"]
    for query in ("after=x", "wait_ms=30001", "after=-1"):
        assert_problem(get(service, "/log?" + query), 400, "invalid_request")


def watch(service):
    """Lines of a long poll, in whichever place becomes free."""
    def try_it():
        answer = get(service, "/log?wait_ms=30000")
        return answer if answer.status_code == 200 else None
    return until(try_it, "a place", 60 * SLOWNESS).json()["lines"]


def test_watchers_are_bounded_and_let_go(start, realm):
    """Each holds a thread, so there are few; a stop does not wait for them."""
    service = start(realm, in_store=True)

    def watch_all(pool):
        watching = [pool.submit(watch, service) for _ in range(8)]
        until(lambda: get(service, "/log?wait_ms=1").status_code == 503,
              "all places to be taken", 60 * SLOWNESS)
        return watching
    with ThreadPoolExecutor(8) as pool:
        watching = watch_all(pool)
        assert get(service, "/log").status_code == 200  # waits for nothing
        service.complete("throws", "x")
        assert all(lines.result() for lines in watching)
        watching = watch_all(pool)
        started = time.monotonic()
        service.expected_ends.add(service.gateway)
        assert service.gateway.stop() == 0
        assert time.monotonic() - started < 15 * SLOWNESS
        assert [lines.result() for lines in watching] == [[]] * 8


def test_executions(service):
    answer = service.complete("throws", "x")
    record = until(lambda: get(service, "/executions/" + answer.headers[
        "X-Correlation-Id"]), "its record").json()
    assert record["code"] == 3001
    listed = get(service, "/executions?idp=throws&failed=true&max=1").json()
    assert [row["correlation_id"] for row in listed] == [
        record["correlation_id"]]
    assert_problem(get(service, "/executions?failed=x"), 400,
                   "invalid_request")


def test_status(service):
    status = get(service, "/status", auth=CONFIGURER).json()
    assert status["revision"] == revision(service)
    assert status["engines"] == 1 and status["store_writable"] is True
    assert status["version"] and status["started_at"] > 0


# -- starts ----------------------------------------------------------------------

def test_what_was_changed_survives(start, realm):
    service = start(realm, in_store=True)
    path, _ = create(service, "scopes", {"id": "lasting"})
    before = get(service, "/realm/export").content
    service.gateway.kill()
    service.restart(service.gateway)
    assert get(service, "/realm/export").content == before
    assert get(service, path).status_code == 200
    assert service.complete("mirror", success()).status_code == 200


def test_with_a_directory_all_is_read_only(start, realm):
    service = start(realm)
    assert get(service, "/realm").json()["read_only"] is True
    before = get(service, "/realm/export").content
    files = export(service)
    assert "clients/app.yaml" in files
    assert SECRET not in json.dumps(files)
    for method, path, body in (
            ("PATCH", "/realm", {}), ("POST", "/realm/apply", {"files": {}}),
            ("POST", "/realm/plan", {"files": {}}),
            ("POST", "/clients", {"client_id": "x"}),
            ("PATCH", "/clients/app", {"name": "x"}),
            ("DELETE", "/clients/app", None),
            ("POST", "/idps", {"id": "x"}), ("DELETE", "/idps/off", None)):
        assert_problem(call(service, method, path, body), 409, "read_only")
    assert get(service, "/realm/export").content == before
    assert get(service, "/clients/app").status_code == 200
    assert len(get(service, "/engines").json()["items"]) == 1
    assert call(service, "POST", "/keys/rotate",
                {"force": True}).status_code == 204
    assert get(service, "/executions").status_code == 200
