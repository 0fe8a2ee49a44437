"""The configuration API, called as its users call it."""

import json
from pathlib import Path

import requests

from harness.processes import ROOT, SLOWNESS

BASE = "/api/v1/configuration"

# The first API client, of the admin_credential file; an id and a secret that
# a gateway takes.
ADMIN = ("root-of-tests", "a-secret-of-the-tests-first-admin")

CALL_SECS = 60 * SLOWNESS


def call(service, method, path, body=None, auth=ADMIN, **options):
    """`path` below the API's base; `body` as JSON."""
    if body is not None:
        options["json"] = body
    return requests.request(method, service.admin_url + BASE + path,
                            auth=auth, timeout=CALL_SECS, **options)


def get(service, path, **options):
    return call(service, "GET", path, **options)


def export(service, **options):
    """The realm's files."""
    answer = get(service, "/realm/export", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()["files"]


def revision(service):
    return get(service, "/realm").json()["revision"]


def apply(service, files, **members):
    return call(service, "POST", "/realm/apply", {"files": files, **members})


def texts(realm):
    """A harness.realm.Realm as the API takes it."""
    return {path: content.decode() if isinstance(content, bytes) else content
            for path, content in realm.files.items()}


def write_credential(path):
    path = Path(path)
    path.touch(mode=0o600)
    path.write_text(":".join(ADMIN) + "\n")
    return path


def openapi():
    """The document in docs/, which a test compares with what is served."""
    return json.loads((ROOT / "docs" / "openapi.json").read_text())


def assert_problem(answer, status, code):
    """An error of the configuration API; its details."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    body = answer.json()
    assert set(body) == {"code", "message", "details"}, body
    assert body["code"] == code, body
    assert body["message"]
    for detail in body["details"]:
        assert set(detail) == {"file", "line", "key", "message"}, detail
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    return body["details"]
