"""The guides say what the code does: their example scripts run, and their
tables have every row that the code's tables have."""

import re

import pytest

from harness.processes import ROOT, run

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "example-scripts"


def rows(table, macro, *fields):
    """Some fields of each row of a .def table, by their place."""
    text = (ROOT / table).read_text()
    for row in re.findall(rf"^{macro}\((.*)\)$", text, re.M):
        parts = re.findall(r'"[^"]*"|[^,\s][^,]*', row)
        yield tuple(parts[field].strip('"') for field in fields)


def test_the_examples_pass_their_tests():
    done = run("postern", "test", str(EXAMPLES))
    assert done.returncode == 0, done.stdout
    assert ", 0 failed" in done.stdout


def test_every_script_of_the_guide_is_one_that_is_tested():
    guide = (DOCS / "WRITING-SCRIPTS.md").read_text()
    blocks = re.findall(r"^```js\n(.*?)^```", guide, re.S | re.M)
    scripts = {path.read_text() for path in EXAMPLES.glob("idps/*/*.js")}
    assert scripts and set(blocks) == scripts
    for folder in EXAMPLES.glob("idps/*"):
        for script in folder.glob("*.js"):
            assert script.with_suffix(".test.yaml").exists(), script


@pytest.mark.parametrize("guide", ["OPERATING.md", "WRITING-SCRIPTS.md"])
def test_every_way_a_script_ends_is_told(guide):
    text = (DOCS / guide).read_text()
    for number, name in rows("common/script_code.def", "SCRIPT_CODE", 1, 2):
        assert number == "0" or re.search(
            rf"^\| {number} `{name}` \|", text, re.M), (number, name)


def test_every_error_that_a_client_sees_is_told():
    text = (DOCS / "OPERATING.md").read_text()
    for status, error in rows("gateway/http/problems.def", "PROBLEM", 1, 2):
        assert re.search(rf"^\| .*\b{status}\b.*`{error}`", text, re.M), (
            status, error)


def test_every_layer_of_the_sandbox_is_told():
    text = (DOCS / "SECURITY.md").read_text()
    for (name,) in rows("engine/runner/sandbox_layers.def", "SANDBOX_LAYER", 1):
        assert f"| `{name}` |" in text, name


def test_every_endpoint_is_told():
    text = (DOCS / "HTTP-API.md").read_text()
    for (path,) in rows("gateway/oauth/routes.def", "ROUTE", 2):
        assert f"`{path}`" in text, path


def test_every_reason_not_to_be_ready_is_told():
    source = (ROOT / "gateway/admin/admin_health.c").read_text()
    body = re.search(r"^why_not_ready\(.*?^}", source, re.S | re.M)[0]
    reasons = re.findall(r'"([^"]*)"', re.sub(r'"\s+"', "", body))
    text = (DOCS / "OPERATING.md").read_text()
    assert len(reasons) > 1
    for reason in reasons:
        assert f'| not ready: "{reason}"' in text, reason
