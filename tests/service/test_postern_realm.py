"""`postern` and whole realms: plan, apply and export round trips against the
real gateway, single resources, releases; and exports that mean harm."""

import json
import os
import re
import subprocess

import pytest
import requests

from harness.command import (CONFLICT, DENIED, DRIFT, FAILED, INVALID,
                             NOT_FOUND, OK, RUN_SECS, UNREACHABLE, USAGE,
                             Command)
from harness.configuration import ADMIN, export
from harness.fake_gateway import FakeGateway
from harness.processes import BIN
from harness.realm import SECRET
from harness.service import Service, success
from harness.standard import MIRROR, standard_realm
from harness.wait import until

BROKEN = "function execute( {\n"


@pytest.fixture(scope="module")
def realm():
    realm = standard_realm("throws")
    realm.idp("throws", 'function execute() {\n'
              '  LOG.warn("seen {}", "\\u001b[31mthis");\n'
              '  throw new Error("no"); }\n',
              record={"mode": "all", "keep": 5})
    realm.api_client("configurer", "config")
    realm.api_client("auditor", "events")
    realm.properties({"id": "plain", "value": "one"},
                     {"id": "hidden", "value": "a-sensitive-value",
                      "sensitive": True})
    return realm


@pytest.fixture(scope="module")
def running_service(realm):
    with Service(realm, in_store=True) as service:
        yield service


@pytest.fixture
def postern(service, tmp_path):
    """As the first API client, who may do everything."""
    return Command(tmp_path, service.admin_url, *ADMIN)


def tree(directory):
    return {str(path.relative_to(directory)): path.read_text()
            for path in sorted(directory.rglob("*")) if path.is_file()}


def changes_of(done):
    return [(change["action"], change["path"])
            for change in json.loads(done.stdout)["changes"]]


# -- the whole realm -----------------------------------------------------------

def test_export_plan_apply_export(postern, service):
    first, second = postern.directory / "first", postern.directory / "second"
    done = postern("export", first)
    assert done.returncode == OK, done.stderr
    assert tree(first) == export(service)
    assert SECRET not in str(tree(first))
    assert "a-sensitive-value" not in str(tree(first))

    done = postern("plan", first)
    assert (done.returncode, done.stdout) == (OK, ""), done
    assert "nothing differs" in done.stderr

    path = first / "clients" / "app.yaml"
    path.write_text(path.read_text() + "name: Another name\n")
    (first / "idps" / "mirror" / "complete.js").write_text(
        "// changed\n" + MIRROR)
    done = postern("plan", first)
    assert done.returncode == DRIFT, done.stderr
    assert "diff --git a/clients/app.yaml b/clients/app.yaml\n" in done.stdout
    assert re.search(r"^\+name: Another name$", done.stdout, re.M)
    assert re.search(r"^\+// changed$", done.stdout, re.M)
    assert tree(first) != export(service)

    dry = postern("apply", first, "--dry-run", "--json")
    assert dry.returncode == OK, dry.stderr
    assert sorted(changes_of(dry)) == [
        ("change", "clients/app.yaml"), ("change", "idps/mirror/complete.js")]
    assert postern("plan", first).returncode == DRIFT

    done = postern("apply", first, "--why", "a better name")
    assert done.returncode == OK, done.stderr
    assert "~ clients/app.yaml\n" in done.stdout
    assert "applied: 0 added, 2 changed, 0 removed" in done.stderr
    assert postern("plan", first).returncode == OK
    assert postern("export", second).returncode == OK
    assert tree(second) == export(service)
    again = postern("apply", second)
    assert "nothing differs" in again.stderr
    assert service.complete("mirror", success()).status_code == 200


def test_the_diff_can_be_applied_with_patch(postern, service):
    """It is a diff of the canonical texts, so patch(1) understands it."""
    old, new = postern.directory / "old", postern.directory / "new"
    postern("export", old)
    postern("export", new)
    (new / "scopes.yaml").write_text(
        (old / "scopes.yaml").read_text() + "- id: another-scope\n")
    done = postern("plan", new)
    assert done.returncode == DRIFT
    subprocess.run(["git", "apply", "--unsafe-paths", "-p1", "--check", "-"],
                   input=done.stdout, text=True, check=True, cwd=old)


def test_an_invalid_realm_is_6_and_names_the_place(postern, service):
    directory = postern.directory / "realm"
    postern("export", directory)
    before = export(service)
    path = directory / "idps" / "mirror" / "complete.js"
    path.write_text(BROKEN)
    (directory / "clients" / "app.yaml").write_text(
        "client_id: app\nidps: [nowhere]\n")
    for command in ("plan", "apply"):
        done = postern(command, directory)
        assert done.returncode == INVALID
        assert "  idps/mirror/complete.js:" in done.stderr
        assert re.search(r"^  clients/app.yaml:2: idps", done.stderr, re.M)
        assert "Traceback" not in done.stderr
    assert export(service) == before


def test_a_secret_that_is_made_is_shown_once(postern, service):
    directory = postern.directory / "realm"
    postern("export", directory)
    (directory / "clients" / "made.yaml").write_text("client_id: made\n")
    done = postern("apply", directory)
    assert done.returncode == OK, done.stderr
    secret = re.search(r"^made +(\S{20,})$", done.stdout, re.M)[1]
    answer = service.post("/oauth/v1/token", auth=("made", secret),
                          data={"grant_type": "client_credentials"})
    assert answer.json()["error"] != "invalid_client"
    assert postern("export", directory).returncode == OK
    assert secret not in str(tree(directory))
    (directory / "clients" / "made.yaml").unlink()
    done = postern("apply", directory)
    assert "- clients/made.yaml\n" in done.stdout


def test_an_expected_revision_that_is_gone_is_7(postern):
    directory = postern.directory / "realm"
    postern("export", directory)
    revision = json.loads(postern("status", "--json").stdout)["revision"]
    assert postern("apply", directory, f"--revision={revision}"
                   ).returncode == OK
    done = postern("apply", directory, f"--revision={'0' * 64}")
    assert done.returncode == CONFLICT, done.stderr


def test_a_config_client_may_not_touch_admins_things(service, tmp_path,
                                                     postern):
    configurer = Command(tmp_path, service.admin_url, "configurer", SECRET)
    directory = tmp_path / "realm"
    assert configurer("export", directory).returncode == OK
    (directory / "api-clients" / "mine.yaml").write_text(
        "client_id: mine\nscopes: [admin]\n")
    done = configurer("apply", directory)
    assert done.returncode == DENIED
    assert "admin" in done.stderr
    assert configurer("api-client", "list").returncode == DENIED
    assert configurer("client", "list").returncode == OK
    stranger = Command(tmp_path, service.admin_url, "stranger", "wrong-secret")
    assert stranger("status").returncode == DENIED


def test_what_is_read_from_a_directory(postern):
    directory = postern.directory / "realm"
    postern("export", directory)
    (directory / "README.md").write_text("not sent")
    (directory / "notes.txt").write_text("not sent")
    (directory / "idps" / "mirror" / "complete.test.yaml").write_text("- x\n")
    (directory / "clients" / "app.yaml").rename(directory / "clients" / "x")
    os.symlink("x", directory / "clients" / "linked.yaml")
    done = postern("plan", directory)
    assert done.returncode == OK, done.stderr
    assert "notes.txt is left out" in done.stderr
    assert "README" not in done.stderr and "test.yaml" not in done.stderr
    (directory / "clients" / "wrong.yml").write_text("")
    assert postern("plan", directory).returncode == INVALID
    (directory / "clients" / "wrong.yml").unlink()
    os.mkfifo(directory / "clients" / "fifo.yaml")
    assert postern("plan", directory).returncode == FAILED
    (directory / "clients" / "fifo.yaml").unlink()
    (directory / "scopes.yaml").write_bytes(b"\xff\xfe")
    assert postern("plan", directory).returncode == INVALID
    (directory / "scopes.yaml").write_bytes(b" " * (5 << 20))
    assert postern("plan", directory).returncode == FAILED
    empty = postern.directory / "empty"
    empty.mkdir()
    for wrong in (empty, postern.directory / "nowhere"):
        assert postern("apply", wrong).returncode == USAGE


# -- single things ---------------------------------------------------------------

def test_clients_come_change_and_go(postern):
    done = postern("client", "create", "-",
                   stdin='{"client_id": "one-more", "name": "One more"}')
    assert done.returncode == OK, done.stderr
    assert len(done.stdout.strip()) >= 20
    again = postern("client", "create", "-",
                    stdin='{"client_id": "one-more"}')
    assert again.returncode == CONFLICT, again.stderr
    assert "One more" in postern("client", "show", "one-more").stdout
    assert postern("client", "update", "one-more", "-",
                   stdin='{"name": "Renamed"}').returncode == OK
    shown = json.loads(postern("client", "show", "one-more", "--json").stdout)
    assert shown["name"] == "Renamed"
    assert re.search(r"^one-more +Renamed ",
                     postern("client", "list").stdout, re.M)
    assert postern("client", "delete", "one-more").returncode == OK
    assert postern("client", "show", "one-more").returncode == NOT_FOUND


def test_the_reason_of_a_change_is_in_its_event(postern, service):
    why = "what the operator said: 100 % & more"
    for line in ("scope create -", "scope delete said"):
        done = postern(*line.split(), f"--why={why}", stdin='{"id": "said"}')
        assert done.returncode == OK, done.stderr
    events = requests.get(
        service.url + "/oauth/api/v1/events", auth=("auditor", SECRET),
        params={"type": "CONFIGURATION_CHANGED", "limit": 2},
        timeout=RUN_SECS).json()
    assert [why in event["detail"] for event in events["events"]] == [
        True, True], events
    done = postern("scope", "create", "-", "--why=" + "x" * 301,
                   stdin='{"id": "said"}')
    assert done.returncode == INVALID


def test_properties_take_values_from_standard_input(postern, service):
    assert postern("property", "set", "plain", stdin="two\n").returncode == OK
    assert postern("property", "set", "quite_new", "--sensitive",
                   stdin="never shown").returncode == OK
    listed = postern("property", "list")
    assert re.search(r"^plain .* two$", listed.stdout, re.M)
    assert "never shown" not in listed.stdout
    assert "never shown" not in str(export(service))
    assert postern("property", "delete", "quite_new").returncode == OK


def test_lists_of_every_kind(postern):
    for line in ("idp list", "client list", "api-client list", "scope list",
                 "property list", "keys list", "engines list",
                 "release list mirror", "executions list --idp throws",
                 "idp show mirror", "release show mirror", "logs", "status"):
        done = postern(*line.split())
        assert done.returncode == OK, (line, done.stderr)
        assert done.stderr == ""
        if line != "logs":
            json.loads(postern(*line.split(), "--json").stdout)
    assert re.search(r"^one +serving ", postern("engines", "list").stdout,
                     re.M)


def test_a_draft_is_made_compared_published_and_rolled_back(postern, service):
    folder = postern.directory / "draft"
    folder.mkdir()
    (folder / "complete.js").write_text(BROKEN)
    done = postern("release", "create", "cache", folder)
    assert done.returncode == INVALID
    assert re.search(r"complete\.js:\d+: ", done.stderr)
    (folder / "complete.js").write_text("// a draft\n" + MIRROR)
    done = postern("release", "create", "cache", folder, "--why=better")
    assert done.returncode == OK, done.stderr
    draft = done.stdout.strip()
    diff = postern("release", "diff", "cache").stdout
    assert re.search(r"^\+// a draft$", diff, re.M)
    assert "draft" in postern("release", "list", "cache").stdout
    assert postern("release", "publish", "cache", draft[:8], "--why=now"
                   ).returncode == OK
    live = json.loads(postern("release", "show", "cache", "--json").stdout)
    assert live["release"] == draft
    assert postern("release", "publish", "cache", "0" * 64
                   ).returncode == NOT_FOUND
    done = postern("release", "rollback", "cache")
    assert done.returncode == OK, done.stderr
    live = json.loads(postern("release", "show", "cache", "--json").stdout)
    assert live["release"] != draft


def test_a_draft_runs_in_the_shadow(postern, service):
    folder = postern.directory / "draft"
    folder.mkdir()
    (folder / "complete.js").write_text(MIRROR.replace(
        "return JSON.parse(requestPayload)",
        "var r = JSON.parse(requestPayload); r.status = 2001; return r"))
    assert postern("release", "shadow", "arguments", "--percent=5"
                   ).returncode == NOT_FOUND
    assert postern("release", "create", "mirror", folder).returncode == OK
    done = postern("release", "shadow", "mirror", "--percent", "100")
    assert done.returncode == OK, done.stderr

    def counted():
        service.complete("mirror", success())
        return re.search(r"^different +[1-9]", postern(
            "release", "shadow", "mirror").stdout, re.M)
    until(counted, "a shadow run to differ", RUN_SECS)
    shown = postern("release", "shadow", "mirror").stdout
    assert re.search(r"^20.* complete +different +\S", shown, re.M)
    done = postern("release", "shadow", "mirror", "--stop")
    assert done.returncode == OK, done.stderr
    assert postern("release", "shadow", "mirror").returncode == NOT_FOUND


def test_a_failure_is_listed_shown_and_in_the_log(postern, service):
    follower = subprocess.Popen(
        [str(BIN / "postern"), "logs", "-f", "--idp", "throws"],
        stdout=subprocess.PIPE, text=True, env=postern.environment)
    answer = service.complete("throws", "x")
    name = answer.headers["X-Correlation-Id"]
    line = follower.stdout.readline()
    follower.terminate()
    follower.communicate(timeout=RUN_SECS)
    assert name in line and "seen" in line and "\x1b" not in line
    listed = postern("executions", "list", "--idp", "throws", "--failed")
    assert re.search(rf" {name} .* threw ", listed.stdout)
    shown = postern("executions", "show", name)
    assert "complete.js" in shown.stdout and "seen" in shown.stdout
    assert "\x1b" not in shown.stdout
    assert postern("executions", "show", "nothing").returncode == NOT_FOUND


def test_keys_rotate_when_they_may(postern):
    done = postern("keys", "rotate", "--force")
    assert done.returncode == OK, done.stderr
    done = postern("keys", "rotate")
    assert done.returncode == CONFLICT, done.stderr
    assert "previous" in postern("keys", "list").stdout


def test_a_realm_directory_is_read_only(start, tmp_path):
    service = start(standard_realm())
    postern = Command(tmp_path, service.admin_url, "nobody", "nothing")
    credential = service.directory / "admin.credential"
    done = postern("login", service.admin_url, f"--credential={credential}")
    assert done.returncode == OK, done.stderr
    postern.environment = {"HOME": str(tmp_path)}
    directory = tmp_path / "realm"
    done = postern("export", directory)
    assert done.returncode == OK, done.stderr
    for command in ("plan", "apply"):
        done = postern(command, directory)
        assert done.returncode == CONFLICT
        assert "(read_only)" in done.stderr
    assert json.loads(postern("status", "--json").stdout)["read_only"]


# -- exports that mean harm --------------------------------------------------------

@pytest.fixture
def fake():
    gateway = FakeGateway()
    yield gateway
    gateway.close()


@pytest.fixture
def fooled(fake, tmp_path):
    """The command, whose gateway exports what `fake` is told to."""
    (tmp_path / "home").mkdir()
    return Command(tmp_path / "home", fake.url)


def serve(fake, **files):
    fake.answers["GET /realm/export"] = (
        200, {"revision": "0", "files": files.pop("files", files)})


@pytest.mark.parametrize("path", [
    "../outside.yaml", "/etc/outside.yaml", "clients/../../outside.yaml",
    "idps/../../outside/idp.yaml", "clients/.hidden.yaml", ".bashrc",
    "idps/x/complete.js/", "clients/a\nb.yaml", "clients/\x1b[31m.yaml",
    "Makefile", "clients/" + "x" * 300 + ".yaml", "idps/x/../y/idp.yaml",
    "", "../.ssh/authorized_keys.pem"])
def test_no_path_leads_out_of_the_directory(fooled, fake, path):
    serve(fake, files={"realm.yaml": "{}\n", path: "harm"})
    done = fooled("export", "target")
    assert done.returncode == FAILED
    assert "nothing was written" in done.stderr
    assert "\x1b" not in done.stderr
    assert not (fooled.directory / "target").exists()
    assert not list(fooled.directory.parent.rglob("outside*"))


def test_links_are_not_followed(fooled, fake):
    outside = fooled.directory / "outside"
    outside.mkdir()
    (outside / "kept.yaml").write_text("kept")
    target = fooled.directory / "target"
    target.mkdir()
    (target / "realm.yaml").write_text("{}\n")
    os.symlink(outside, target / "clients")
    serve(fake, files={"realm.yaml": "{}\n", "clients/new.yaml": "new"})
    done = fooled("export", target)
    assert done.returncode == FAILED and "links" in done.stderr
    assert tree(outside) == {"kept.yaml": "kept"}

    serve(fake, files={"realm.yaml": "{}\n"})
    assert fooled("export", target).returncode == OK
    assert tree(outside) == {"kept.yaml": "kept"}

    (target / "clients").unlink()
    (target / "clients").mkdir()
    os.symlink(outside / "kept.yaml", target / "clients" / "new.yaml")
    os.symlink(outside / "kept.yaml", target / "clients" / "old.yaml")
    serve(fake, files={"realm.yaml": "{}\n", "clients/new.yaml": "new"})
    assert fooled("export", target).returncode == OK
    assert tree(outside) == {"kept.yaml": "kept"}
    assert not (target / "clients" / "new.yaml").is_symlink()
    assert sorted(os.listdir(target / "clients")) == ["new.yaml"]


def test_only_what_an_export_writes_is_removed(fooled, fake):
    target = fooled.directory / "target"
    serve(fake, files={"realm.yaml": "{}\n", "clients/a.yaml": "a",
                       "idps/x/idp.yaml": "x", "idps/x/complete.js": "1",
                       "idps/y/idp.yaml": "y"})
    assert fooled("export", target).returncode == OK
    (target / "README.md").write_text("mine")
    (target / "idps" / "x" / "complete.test.yaml").write_text("mine")
    (target / "clients" / "notes.txt").write_text("mine")
    kept = target / "realm.yaml"
    before = kept.stat().st_ino
    serve(fake, files={"realm.yaml": "{}\n"})
    done = fooled("export", target, "--json")
    assert json.loads(done.stdout) == {
        "revision": "0", "written": 0, "unchanged": 1, "removed": 4}
    assert kept.stat().st_ino == before
    assert tree(target) == {
        "realm.yaml": "{}\n", "README.md": "mine",
        "clients/notes.txt": "mine", "idps/x/complete.test.yaml": "mine"}
    assert not (target / "idps" / "y").exists()


def test_a_directory_that_is_no_realm_is_left_alone(fooled, fake):
    project = fooled.directory / "project"
    (project / "clients").mkdir(parents=True)
    (project / "clients" / "mine.yaml").write_text("mine")
    (project / "package.json").write_text("{}")
    serve(fake, files={"realm.yaml": "{}\n"})
    done = fooled("export", project)
    assert done.returncode == USAGE and "--force" in done.stderr
    assert sorted(tree(project)) == ["clients/mine.yaml", "package.json"]
    assert fooled("export", project, "--force").returncode == OK
    assert sorted(tree(project)) == ["package.json", "realm.yaml"]


@pytest.mark.parametrize("files", [
    None, [], {"realm.yaml": 7}, {"realm.yaml": None},
    {"realm.yaml": "x" * (5 << 20)}])
def test_exports_that_are_none_write_nothing(fooled, fake, files):
    serve(fake, files=files)
    done = fooled("export", "target")
    assert done.returncode in (FAILED, UNREACHABLE)
    assert not (fooled.directory / "target").exists()


@pytest.mark.parametrize("changes", [
    None, [{"path": "../x", "action": "add"}], [{"action": "add"}], [7],
    [{"path": "realm.yaml", "action": "explode"}]])
def test_plans_that_are_none_are_4(fooled, fake, changes):
    fake.answers["POST /realm/plan"] = (200, {"changes": changes})
    fake.answers["POST /realm/apply"] = (200, {"changes": changes})
    (fooled.directory / "realm.yaml").write_text("{}\n")
    for command in ("plan", "apply"):
        assert fooled(command, ".").returncode == UNREACHABLE


def test_a_private_key_stays_here(fooled, fake):
    fake.answers["POST /realm/plan"] = (200, {"changes": []})
    realm = fooled.directory / "realm"
    realm.mkdir()
    (realm / "realm.yaml").write_text("{}\n")
    (realm / "partner.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (realm / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    done = fooled("plan", realm)
    assert done.returncode == OK, done.stderr
    assert sorted(fake.json_of()["files"]) == ["ca.pem", "realm.yaml"]
    assert "partner.pem is left out" in done.stderr
