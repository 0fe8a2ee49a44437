"""What an operator sees: readiness that ran a script, metrics, log lines,
spans; and the dashboard, which may only name metrics there are."""

import json
import re
import shutil
import time

import pytest
import requests

from harness.partner import Partner
from harness.processes import BIN, ROOT
from harness.service import SECRET, Service, success, unique
from harness.standard import standard_realm
from harness.wait import until

CALLING = """
function execute(requestPayload) {
  HTTP.get(requestPayload);
  return {status: 2000, user: {id: "x"}, responsePayload: "done"};
}
"""
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def metric_names():
    table = (ROOT / "common" / "metric.def").read_text()
    rows = re.findall(r'^METRIC\(\w+, (\w+), "(\w+)"', table, re.M)
    names = {name for _, name in rows}
    for kind, name in rows:
        if kind in ("HISTOGRAM", "SIZES"):
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return names


# -- readiness ---------------------------------------------------------------

def ready(service):
    answer = requests.get(service.admin_url + "/health/ready", timeout=20)
    return answer.status_code, answer.json()


def test_ready_means_that_a_script_ran(service):
    """Nobody has asked for anything yet: the gateway ran one itself."""
    status, body = ready(service)
    assert (status, body["status"]) == (200, "ready")
    assert body["last_success_ms_ago"] < 15000
    assert service.count("postern_probes_total", outcome="ok") >= 1
    assert service.count("postern_ready") == 1
    assert service.executions() == 0


def test_a_test_run_is_made_again_and_seen_nowhere_else(service):
    before = service.count("postern_probes_total", outcome="ok")
    until(lambda: service.count("postern_probes_total", outcome="ok") > before,
          "another test run", 20)
    assert not [e for e in service.gateway.log_entries()
                if e.get("idp") == "=probe"]
    assert service.executions() == 0


@pytest.fixture
def broken(tmp_path):
    """A service whose engine passed its checks and then lost its runner."""
    runner = tmp_path / "postern-runner"
    shutil.copy(BIN / "postern-runner", runner)
    service = Service(standard_realm(), engine_flags=[f"--runner={runner}"])
    service.engine.start()
    until(lambda: "dial" in service.engine.log_text()
          or "gateway" in service.engine.log_text(), "the engine's start")
    runner.unlink()
    runner.write_text("#!/bin/sh\nexit 1\n")
    runner.chmod(0o755)
    service.gateway.start()
    yield service
    service.end()


def test_an_engine_that_runs_no_script_is_not_ready(broken):
    def refused():
        try:
            status, body = ready(broken)
        except requests.ConnectionError:
            return None
        return body if status == 503 and "test_run" in body else None

    body = until(refused, "a test run that failed", 20)
    assert body["engines"] == 1 and body["status"] == "not_ready"
    assert body["reason"] == "no engine runs scripts: the test run fails"
    assert broken.count("postern_ready") == 0
    assert requests.get(broken.admin_url + "/health/live",
                        timeout=20).status_code == 200


# -- metrics -----------------------------------------------------------------

def test_where_the_time_of_a_script_goes(service):
    labels = {"idp": "mirror", "script": "complete"}
    before = service.count("postern_script_run_seconds_count", **labels)
    assert service.complete("mirror", success()).status_code == 200
    metrics = service.metrics()
    for part in ("queue", "wire", "run", "host_call"):
        name = f"postern_script_{part}_seconds"
        assert metrics.sum(f"{name}_count", **labels) == before + 1
        assert metrics.sum(f"{name}_bucket", le="+Inf", **labels) == before + 1


def test_what_the_processes_and_the_store_are_like(service):
    service.complete("mirror", success())
    until(lambda: service.count("postern_engine_resident_bytes") > 1e6,
          "the engine's word about its memory")
    metrics = service.metrics()
    assert 1e6 < metrics.sum("postern_gateway_resident_bytes") < 1e10
    assert 0 <= metrics.sum("postern_signing_keys_age_seconds") < 600
    assert abs(metrics.sum("postern_start_time_seconds") - time.time()) < 600
    assert metrics.sum("postern_store_writable") == 1
    batches = metrics.sum("postern_store_batch_operations_count")
    assert batches == metrics.sum("postern_store_commits_total")
    assert (metrics.sum("postern_store_batch_operations_sum")
            == metrics.sum("postern_store_operations_total"))


def test_only_identity_providers_of_the_realm_are_labels(service):
    name = unique("nobody")
    assert service.complete(name, success()).status_code >= 400
    text = requests.get(service.admin_url + "/metrics", timeout=20).text
    assert name not in text


def test_every_metric_shown_is_in_the_table(service):
    text = requests.get(service.admin_url + "/metrics", timeout=20).text
    shown = set(re.findall(r"^(postern_\w+)", text, re.M))
    assert shown and shown <= metric_names()


def test_the_dashboard_names_metrics_there_are():
    dashboard = json.loads(
        (ROOT / "docs" / "grafana-dashboard.json").read_text())
    panels = [p for p in dashboard["panels"] if p["type"] != "row"]
    assert len({p["id"] for p in dashboard["panels"]}) == len(
        dashboard["panels"])
    expressions = [t["expr"] for p in panels for t in p["targets"]]
    expressions += [a["expr"] for a in dashboard["annotations"]["list"]]
    named = {n for e in expressions for n in re.findall(r"postern_\w+", e)}
    assert named <= metric_names(), named - metric_names()
    base = {re.sub(r"_(bucket|sum|count)$", "", n) for n in named}
    table = set(re.findall(r'"(postern_\w+)"', (
        ROOT / "common" / "metric.def").read_text()))
    assert table - base == set(), "metrics that no panel shows"


# -- log lines ---------------------------------------------------------------

def request_line(service, answer):
    correlation_id = answer.headers["X-Correlation-Id"]
    return until(lambda: [e for e in service.log_of(correlation_id)
                          if e["event"].startswith("request")],
                 "the request's line")[0]


def test_one_line_a_request(service):
    line = request_line(service, service.complete("mirror", success()))
    assert line["outcome"] == "ok" and line["status"] == 200
    assert line["client"] == "app" and line["idp"] == "mirror"
    assert line["source"] == "127.0.0.1" and line["us"] > 0
    assert line["route"]


def test_a_refused_request_says_why_and_names_nobody(service):
    answer = service.complete("mirror", success(), auth=("app", "wrong-one"))
    line = request_line(service, answer)
    assert line["outcome"] == answer.json()["error"]
    assert line["client"] is None and line["idp"] is None
    assert service.count("postern_http_outcomes_total",
                         outcome=line["outcome"]) >= 1
    for secret in ("wrong-one", SECRET):
        assert secret not in service.gateway.log_text()


# -- traces ------------------------------------------------------------------

def spans_of(path):
    spans = {}
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceSpans"]:
            service = resource["resource"]["attributes"][0]["value"]
            for span in resource["scopeSpans"][0]["spans"]:
                spans[span["spanId"]] = span | {
                    "service": service["stringValue"],
                    "at": {a["key"]: a["value"]
                           for a in span["attributes"]}}
    return spans


@pytest.fixture
def traced(start, tmp_path):
    partner = Partner()
    realm = standard_realm("calling")
    realm.idp("calling", CALLING,
              http={"allow": [f"127.0.0.1:{partner.port}"]})
    path = tmp_path / "spans.jsonl"
    service = start(realm, engine_flags=[f"--trace-file={path}"],
                    gateway_flags=[f"--trace-file={path}",
                                   "--trusted-proxy=127.0.0.1"])
    yield service, partner, path
    partner.close()


def call_traced(traced, flags):
    service, partner, _ = traced
    answer = service.complete(
        "calling", f"http://127.0.0.1:{partner.port}/echo",
        headers={"traceparent": f"00-{TRACE}-{PARENT}-{flags}"})
    assert answer.status_code == 200, service.logs()
    return answer


def test_a_trace_from_the_proxy_to_the_back_end(traced):
    _, partner, path = traced
    answer = call_traced(traced, "01")
    spans = until(lambda: (s := [x for x in spans_of(path).values()
                                 if x["traceId"] == TRACE])
                  and len(s) == 4 and s, "four spans")
    by_id = {s["spanId"]: s for s in spans}
    _, trace, hop, flags = (
        partner.requests[-1]["headers"]["traceparent"].split("-"))
    assert (trace, flags) == (TRACE, "01")
    chain = []
    while hop in by_id:
        chain.append(by_id[hop])
        hop = by_id[hop]["parentSpanId"]
    assert hop == PARENT
    assert [(s["service"], s["kind"]) for s in chain] == [
        ("postern-engine", 3), ("postern-engine", 1),
        ("postern-gateway", 1), ("postern-gateway", 2)]
    for inner, outer in zip(chain, chain[1:]):
        assert inner["startTimeUnixNano"] >= outer["startTimeUnixNano"] or (
            abs(int(inner["startTimeUnixNano"])
                - int(outer["startTimeUnixNano"])) < 10 ** 7)
    server = chain[-1]
    assert int(server["startTimeUnixNano"]) < int(server["endTimeUnixNano"])
    assert server["at"]["postern.correlation_id"]["stringValue"] == (
        answer.headers["X-Correlation-Id"])
    assert server["at"]["http.response.status_code"]["intValue"] == "200"
    assert SECRET not in path.read_text()


def test_a_trace_that_is_not_sampled_leaves_no_span(traced):
    _, partner, path = traced
    call_traced(traced, "00")
    assert partner.requests[-1]["headers"]["traceparent"].startswith(
        f"00-{TRACE}-")
    assert partner.requests[-1]["headers"]["traceparent"].endswith("-00")
    call_traced(traced, "01")
    until(lambda: len([s for s in spans_of(path).values()
                       if s["traceId"] == TRACE]) == 4, "the second's spans")


def test_who_is_not_the_proxy_names_no_trace(service):
    answer = service.complete(
        "mirror", success(),
        headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    assert answer.status_code == 200
