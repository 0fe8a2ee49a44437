"""A gateway without a realm directory: the store rules, and at first start
there is nobody but the first API client."""

import signal
import stat

import pytest
import requests

from harness.processes import SLOWNESS, Process, free_port
from harness.wait import until

START_SECS = 20 * SLOWNESS


class Gateway(Process):
    def __init__(self, directory, *flags):
        self.data_dir = directory / "data"
        self.admin_port = free_port()
        (directory / "run").mkdir(mode=0o750, exist_ok=True)
        super().__init__("postern-gateway", [
            f"--listen-public=127.0.0.1:{free_port()}",
            f"--listen-admin=127.0.0.1:{self.admin_port}",
            f"--data-dir={self.data_dir}",
            f"--engines-listen=ipc://{directory}/run/engines.sock",
            "--log-format=json", *flags], directory)

    def has_logged(self, message):
        return [entry for entry in self.log_entries()
                if message in str(entry.values())]

    def start_up(self):
        starts = len(self.has_logged("gateway ready"))
        self.start()
        until(lambda: len(self.has_logged("gateway ready")) > starts,
              "the gateway to be ready", START_SECS)

    def settings(self, credential):
        client, secret = credential.strip().split(":", 1)
        return requests.get(
            f"http://127.0.0.1:{self.admin_port}/api/v1/configuration/realm",
            auth=(client, secret), timeout=START_SECS)


@pytest.fixture
def gateway(tmp_path_factory):
    started = []

    def start_one(*flags, directory=None):
        gateway = Gateway(directory or tmp_path_factory.mktemp("g"), *flags)
        started.append(gateway)
        return gateway

    yield start_one
    for gateway in started:
        gateway.stop()


def test_first_start_makes_the_first_api_client(gateway):
    one = gateway()
    one.start_up()
    path = one.data_dir / "admin.credential"
    credential = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert credential.startswith("admin:") and len(credential) > 40
    assert credential.strip().split(":")[1] not in one.log_text()
    assert one.settings(credential).json()["settings"] == {}
    assert one.settings("admin:guessed-it").status_code == 401
    assert one.stop() == 0
    one.start_up()
    assert path.read_text() == credential
    assert one.settings(credential).status_code == 200


def test_a_credential_of_the_operators(gateway, tmp_path):
    path = tmp_path / "credential"
    path.touch(mode=0o600)
    path.write_text("boss:of-all-that-is-in-here\n")
    one = gateway(f"--admin-credential={path}")
    one.start_up()
    assert not (one.data_dir / "admin.credential").exists()
    assert one.settings(path.read_text()).status_code == 200


@pytest.mark.parametrize("text", ["boss:short"])
def test_a_credential_that_is_none_stops_the_start(gateway, tmp_path, text):
    path = tmp_path / "credential"
    path.touch(mode=0o600)
    path.write_text(text)
    one = gateway(f"--admin-credential={path}")
    one.start()
    assert one.popen.wait(START_SECS) == 78
    assert "admin_credential" in one.log_text()


def test_reloading_reads_nothing(gateway):
    one = gateway()
    one.start_up()
    loads = len(one.has_logged("realm loaded"))
    one.signal(signal.SIGHUP)
    until(lambda: one.has_logged("realm not read anew"),
          "the reload to be logged", START_SECS)
    assert len(one.has_logged("realm loaded")) == loads
    assert one.is_running()


def test_another_master_key_stops_the_start(gateway):
    """Nothing is overwritten: with the right key all is there again."""
    one = gateway()
    one.start_up()
    credential = (one.data_dir / "admin.credential").read_text()
    client, secret = credential.strip().split(":", 1)
    answer = requests.post(
        f"http://127.0.0.1:{one.admin_port}/api/v1/configuration/scopes",
        json={"id": "read"}, auth=(client, secret), timeout=START_SECS)
    assert answer.status_code == 201, answer.text
    assert one.stop() == 0
    key = one.data_dir / "master.key"
    own = key.read_bytes()
    key.write_bytes(bytes(32))
    one.start()
    assert one.popen.wait(START_SECS) != 0
    assert "master key" in one.log_text()
    key.write_bytes(own)
    one.start_up()
    answer = requests.get(
        f"http://127.0.0.1:{one.admin_port}/api/v1/configuration/scopes",
        auth=(client, secret), timeout=START_SECS)
    assert [scope["id"] for scope in answer.json()["items"]] == ["read"]
