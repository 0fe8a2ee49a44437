"""Process configuration: --check, --print-config, flags, environment, file,
and the mistakes that stop a start with file, line and key."""

import os
import subprocess

import pytest

from harness.processes import BIN, free_port, run
from harness.standard import standard_realm

PROCESSES = ["postern-gateway", "postern-engine"]


@pytest.mark.parametrize("name", PROCESSES)
def test_help_and_version(name):
    done = run(name, "--help")
    assert done.returncode == 0
    assert "--print-config" in done.stdout
    done = run(name, "--version")
    assert done.returncode == 0
    assert name in done.stdout


@pytest.mark.parametrize("name", PROCESSES)
def test_what_print_config_prints_can_be_loaded_again(name, tmp_path):
    first = run(name, "--print-config", f"--config={empty(tmp_path)}")
    assert first.returncode == 0, first.stderr
    again_path = tmp_path / "again.conf"
    again_path.write_text(first.stdout)
    again = run(name, "--print-config", f"--config={again_path}")
    assert again.returncode == 0, again.stderr
    assert settings(again.stdout) == settings(first.stdout)


def empty(tmp_path):
    path = tmp_path / "empty.conf"
    path.write_text("")
    return path


def settings(text):
    found = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[key.strip()] = value.split(" #")[0].strip()
    return found


def test_every_documented_gateway_setting_is_there(tmp_path):
    done = run("postern-gateway", "--print-config",
               f"--config={empty(tmp_path)}")
    assert {"public_url", "listen_public", "listen_admin", "trusted_proxy",
            "threads", "request_ms", "queue_ms", "queue_max",
            "body_max_bytes", "data_dir", "realm", "master_key",
            "engines_listen", "log_format", "log_level"} <= set(
                settings(done.stdout))


def test_every_documented_engine_setting_is_there(tmp_path):
    done = run("postern-engine", "--print-config",
               f"--config={empty(tmp_path)}")
    assert {"gateways", "name", "labels", "slots", "runner",
            "templates_max_mib", "require_sandbox"} <= set(
                settings(done.stdout))


def test_flag_beats_environment_beats_file(tmp_path):
    path = tmp_path / "gateway.conf"
    defaults = run("postern-gateway", "--print-config",
                   f"--config={empty(tmp_path)}").stdout
    text = []
    for line in defaults.splitlines():
        if line.startswith("queue_max"):
            line = "queue_max = 11"
        text.append(line)
    path.write_text("\n".join(text) + "\n")
    environment = {**os.environ, "POSTERN_GATEWAY_QUEUE_MAX": "12"}

    def queue_max(*flags, env=None):
        done = subprocess.run(
            [str(BIN / "postern-gateway"), "--print-config",
             f"--config={path}", *flags], capture_output=True, text=True,
            env=env, check=True, timeout=60)
        return settings(done.stdout)["queue_max"]
    assert queue_max() == "11"
    assert queue_max(env=environment) == "12"
    assert queue_max("--queue-max=13", env=environment) == "13"


@pytest.mark.parametrize("name, flag, word", [
    ("postern-gateway", "--no-such-thing=1", "no-such-thing"),
    ("postern-gateway", "--threads=many", "threads"),
    ("postern-gateway", "--threads=0", "threads"),
    ("postern-gateway", "--queue-max=-1", "queue"),
    ("postern-gateway", "--log-format=xml", "log"),
    ("postern-gateway", "--listen-public=nowhere", "listen"),
    ("postern-gateway", "--listen-public=0.0.0.0:8080", "edge_tls"),
    ("postern-gateway", "--public-url=http://id.example.com", "public_url"),
    ("postern-gateway", "--engines-listen=bogus", "engines_listen"),
    ("postern-gateway", "stray", "stray"),
    ("postern-engine", "--slots=1000000", "slots"),
    ("postern-engine", "--name=no spaces", "name"),
    ("postern-engine", "--gateways=ftp://x", "gateways"),
    ("postern-engine", "--config=/nonexistent/file", "/nonexistent/file"),
])
def test_a_mistake_stops_the_start(name, flag, word):
    done = run(name, "--check", flag)
    assert done.returncode not in (0, None)
    assert word in (done.stderr + done.stdout).replace("-", "_") + (
        done.stderr + done.stdout)


@pytest.mark.parametrize("line, word", [
    ("nonsense", "2"), ("unknown_key = 1", "unknown_key"),
    ("threads = 99999999999999999999", "threads")])
def test_a_mistake_in_a_file_names_its_line(tmp_path, line, word):
    path = tmp_path / "gateway.conf"
    path.write_text("[http]\n" + line + "\n")
    done = run("postern-gateway", "--check", f"--config={path}")
    assert done.returncode != 0
    assert "gateway.conf:2" in done.stderr + done.stdout
    assert word in done.stderr + done.stdout


def gateway_check(tmp_path, realm):
    realm.write(tmp_path / "realm")
    port = free_port()
    return run("postern-gateway", "--check", f"--realm={tmp_path}/realm",
               f"--data-dir={tmp_path}/data",
               f"--engines-listen=ipc://{tmp_path}/e.sock",
               f"--listen-public=127.0.0.1:{port}",
               f"--public-url=http://127.0.0.1:{port}")


def test_check_of_a_good_realm_writes_nothing(tmp_path):
    done = gateway_check(tmp_path, standard_realm())
    assert done.returncode == 0, done.stderr + done.stdout
    assert not (tmp_path / "data").exists()


def test_check_of_a_bad_realm(tmp_path):
    realm = standard_realm()
    realm.text("realm.yaml", "shared_subjects: true\ntransactoin: {}\n")
    realm.text("idps/two/complete.js", "function execute( {")
    done = gateway_check(tmp_path, realm)
    assert done.returncode != 0
    said = done.stderr + done.stdout
    assert "realm.yaml:2" in said and "transactoin" in said
    assert "two/complete.js:1" in said


def test_a_world_readable_master_key_stops_the_start(tmp_path):
    key = tmp_path / "master.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o644)
    standard_realm().write(tmp_path / "realm")
    done = run("postern-gateway", f"--master-key={key}",
               f"--realm={tmp_path}/realm", f"--data-dir={tmp_path}/data",
               f"--engines-listen=ipc://{tmp_path}/e.sock",
               f"--listen-public=127.0.0.1:{free_port()}",
               f"--listen-admin=127.0.0.1:{free_port()}")
    assert done.returncode != 0
    assert "master" in done.stderr + done.stdout


def test_a_bad_realm_stops_the_first_start(tmp_path):
    realm = standard_realm()
    realm.text("realm.yaml", "nonsense: 1\n")
    realm.write(tmp_path / "realm")
    done = run("postern-gateway", f"--realm={tmp_path}/realm",
               f"--data-dir={tmp_path}/data",
               f"--engines-listen=ipc://{tmp_path}/e.sock",
               f"--listen-public=127.0.0.1:{free_port()}",
               f"--listen-admin=127.0.0.1:{free_port()}")
    assert done.returncode != 0
    assert "nonsense" in done.stderr + done.stdout
