"""SIGHUP: a good realm is swapped in whole, a bad one leaves the old serving
and says file, line and key."""

import json
import signal
import threading

import pytest

from harness.service import assert_error, success
from harness.standard import standard_realm
from harness.wait import until


def version(text):
    return ("function execute() { return {status: 2000, user: {id: 'v'}, "
            f"responsePayload: '{text}'}}; }}")


@pytest.fixture
def service(start):
    realm = standard_realm("changing")
    realm.idp("changing", version("first"))
    return start(realm)


def test_a_good_realm_is_swapped_in(service):
    assert service.complete("changing").json()["data"] == "first"
    service.realm.idp("changing", version("second"))
    service.realm.client("late", idps=["changing"], default_scopes=["read"])
    service.reload()
    assert service.complete("changing").json()["data"] == "second"
    assert service.complete("changing", client="late").status_code == 200


def test_a_removed_client_is_gone(service):
    del service.realm.files["clients/other.yaml"]
    service.reload()
    assert_error(service.complete("mirror", success(), client="other"), 400,
                 "invalid_client")


def test_changed_properties_reach_the_scripts(service):
    reading = ("function execute() { return {status: 2000, user: {id: 'x'}, "
               "responsePayload: PROPERTIES.get('p')}; }")
    service.realm.properties({"id": "p", "value": "one"})
    service.realm.idp("changing", reading)
    service.reload()
    assert service.complete("changing").json()["data"] == "one"
    service.realm.properties({"id": "p", "value": "two"})
    service.reload()
    assert service.complete("changing").json()["data"] == "two"


MISTAKES = {
    "unknown key": ("clients/app.yaml",
                    'client_id: app\nclient_sekret: {plain: "x"}\n',
                    ["clients/app.yaml", "2", "client_sekret"]),
    "wrong type": ("realm.yaml", "transaction:\n  lifetime_secs: soon\n",
                   ["realm.yaml", "2", "lifetime_secs"]),
    "duplicate key": ("realm.yaml",
                      "shared_subjects: true\nshared_subjects: false\n",
                      ["realm.yaml", "2", "shared_subjects"]),
    "alias": ("scopes.yaml", "- &a {id: read}\n- *a\n", ["scopes.yaml"]),
    "not YAML": ("realm.yaml", "{{{{\n", ["realm.yaml"]),
    "deep": ("realm.yaml", "[" * 100000, ["realm.yaml"]),
    "dangling scope": ("clients/app.yaml",
                       "client_id: app\ndefault_scopes:\n- nowhere\n",
                       ["clients/app.yaml", "nowhere"]),
    "dangling IdP": ("clients/app.yaml", "client_id: app\nidps: [nowhere]\n",
                     ["clients/app.yaml", "nowhere"]),
    "script does not compile": (
        "idps/changing/complete.js",
        "function execute() {\n  return {status: 2000\n}\n",
        ["changing/complete.js"]),
    "no type": ("idps/changing/idp.yaml", "name: x\n",
                ["idps/changing/idp.yaml", "type"]),
    "bad identifier": ("idps/not ok/idp.yaml", "type: one_step\n", ["not ok"]),
    "overlapping prefixes": (
        "idps/changing/idp.yaml",
        "type: one_step\nsubject_prefix: \"mir\"\n", ["subject_prefix"]),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_bad_realm_is_refused(running_service, mistake):
    service = running_service
    path, content, words = mistake
    good = dict(service.realm.files)
    begin = len(service.gateway.log_text())
    service.realm.text(path, content)
    try:
        service.reload("refused")
    finally:
        service.realm.files = good
    said = service.gateway.log_text()[begin:]
    for word in words:
        assert word in said, said
    assert service.complete("mirror", success()).status_code == 200
    assert service.is_ready()
    service.assert_unharmed()


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("changing")
    realm.idp("changing", version("first"))
    return realm


def test_no_request_sees_half_of_an_import(service):
    """Script, property and client change together, under load."""
    script = ("function execute() { return {status: 2000, user: {id: 'x'}, "
              "responsePayload: '%s' + PROPERTIES.get('p')}; }")

    def write(text):
        service.realm.properties({"id": "p", "value": text})
        service.realm.idp("changing", script % text)
    write("a")
    service.reload()
    ended = threading.Event()
    seen, problems = set(), []

    def load():
        while not ended.is_set():
            answer = service.complete("changing")
            if answer.status_code != 200:
                problems.append(answer.text)
            else:
                seen.add(answer.json()["data"])
    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for text in ("b", "c", "d"):
        write(text)
        service.reload()
        until(lambda text=text: text * 2 in seen or problems,
              f"the realm {text}")
    ended.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert seen <= {"aa", "bb", "cc", "dd"}


def test_sighups_in_a_burst(service):
    before = service.count("postern_realm_loads_total", outcome="loaded")
    for _ in range(20):
        service.gateway.signal(signal.SIGHUP)
    until(lambda: service.count("postern_realm_loads_total",
                                outcome="loaded") > before, "a load")
    assert service.complete("mirror", success()).status_code == 200


def test_an_idp_can_be_disabled(service):
    document = json.loads(service.realm.files["idps/changing/idp.yaml"])
    service.realm.document("idps/changing/idp.yaml",
                           {**document, "enabled": False})
    service.reload()
    assert_error(service.complete("changing"), 403, "idp_disabled")
