"""Records of executions on the admin listener: who may read them, what they
say, and that nothing secret is in them."""

import pytest
import requests

from harness.realm import SECRET
from harness.service import success, unique
from harness.standard import MIRROR, standard_realm
from harness.wait import until

PASSWORD = "a-sensitive-value"

BUSY = """
function execute(requestPayload) {
  LOG.warn("the key is {}", PROPERTIES.get("backend_key"));
  CACHE.store("k", "v");
  CACHE.fetch("k");
  try { CACHE.increment("k"); } catch (e) {}
  if (requestPayload === "throw") { throw new Error("on purpose"); }
  return {status: 2000, user: {id: requestPayload === "bad" ? "" : "x"}};
}
"""


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("busy", "quiet", "unrecorded")
    realm.properties({"id": "backend_key", "value": PASSWORD,
                      "sensitive": True})
    realm.api_client("root", "admin")
    realm.idp("busy", BUSY, record={"mode": "all", "keep": 5})
    realm.idp("quiet", BUSY, record={"mode": "failures", "keep": 5})
    realm.idp("unrecorded", BUSY, record={"mode": "off"})
    return realm


def read(service, path="", client="root", **options):
    return requests.get(
        service.admin_url + "/api/v1/configuration/executions" + path,
        auth=(client, SECRET) if client else None, timeout=20, **options)


def record_of(service, answer):
    return read(service, "/" + answer.headers["X-Correlation-Id"])


def test_says_all_of_a_failure(service):
    answer = service.complete("busy", "throw")
    record = record_of(service, answer)
    assert record.status_code == 200
    assert PASSWORD not in record.text
    seen = record.json()
    assert seen["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert (seen["idp"], seen["script"]) == ("busy", "complete")
    assert (seen["code"], seen["name"]) == (3001, "threw")
    assert "on purpose" in seen["message"]
    assert (seen["file"], seen["line"]) == ("busy/complete.js", 7)
    assert "execute" in seen["stack"]
    assert seen["engine"] == "one" and seen["attempts"] == 1
    assert seen["run_us"] > 0 and seen["heap_peak_bytes"] > 0
    assert seen["host_calls"] == 3 and seen["host_call_us"] > 0
    assert [call["call"] for call in seen["calls"]] == [
        "cache_store", "cache_fetch", "cache_increment"]
    assert [call["error"] is None for call in seen["calls"]] == [
        True, True, False]
    assert seen["log"] == [
        {"level": "warn", "text": "the key is ***", "cut": False}]


def test_what_only_the_gateway_finds_wrong(service):
    """The engine called it a success, the user is none."""
    answer = service.complete("quiet", "bad")
    assert answer.status_code == 500
    seen = record_of(service, answer).json()
    assert seen["code"] == 3004 and seen["message"]
    assert len(seen["log"]) == 1
    answer = service.complete("busy", "bad")
    listed = read(service, "?idp=busy&max=1").json()
    assert [(row["code"], row["correlation_id"]) for row in listed] == [
        (3004, answer.headers["X-Correlation-Id"])]


def test_modes_and_how_many(service):
    good = [service.complete("busy", "x") for _ in range(7)]
    assert record_of(service, good[-1]).json()["code"] == 0
    assert record_of(service, good[0]).status_code == 404
    rows = read(service, "?idp=busy").json()
    assert [row["code"] for row in rows].count(0) == 5
    assert record_of(
        service, service.complete("quiet", "x")).status_code == 404
    assert record_of(
        service, service.complete("unrecorded", "throw")).status_code == 404
    assert read(service, "?idp=unrecorded").json() == []


def test_who_may_read(service):
    assert read(service, "?idp=busy", client=None).status_code == 401
    assert read(service, "?idp=busy", client="nobody").status_code == 401
    assert read(service, "?idp=busy", client="backend").status_code == 403
    assert read(service, "?idp=busy", client="app").status_code == 401
    assert read(service, "?idp=busy", headers={
        "Host": "evil.example"}).status_code == 421
    assert requests.get(service.url + "/api/v1/configuration/executions",
                        auth=("root", SECRET), timeout=20).status_code == 404


def test_odd_questions(service):
    for query in ("", "?idp", "?idp=busy&max=0", "?idp=busy&max=99999",
                  "?idp=busy&max=x", "?idp=a&idp=b"):
        assert read(service, query).status_code in (200, 400), query
    assert read(service, "").json()  # of all identity providers
    assert read(service, "?idp=nobody").json() == []
    assert read(service, "/" + unique()).status_code == 404
    assert read(service, "/%00").status_code in (400, 404)


def test_a_killed_one_is_recorded_too(service):
    realm = service.realm
    realm.idp("mirror", "function execute() { while (true) {} }",
              script={"wall_ms": 200})
    service.reload()
    answer = service.complete("mirror", success())
    realm.idp("mirror", MIRROR)
    service.reload()
    seen = until(lambda: record_of(service, answer), "its record").json()
    assert seen["code"] == 3010 and seen["cpu_us"] > 0
