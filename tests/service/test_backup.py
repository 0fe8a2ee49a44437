"""Backups taken while the gateway serves, and brought back: what comes back,
what must not, and what a restore refuses."""

import sqlite3
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import configuration
from harness.command import CONFLICT, DENIED, OK, Command
from harness.configuration import ADMIN
from harness.oauth import (assertion, grant, is_active, oauth_realm, refresh,
                           refreshed, revoke, token, ASSERTION_TYPE)
from harness.processes import BIN, clean_environment, SLOWNESS
from harness.realm import SECRET
from harness.service import unique
from harness.wait import until

EX_CONFIG, EX_UNAVAILABLE = 78, 69


@pytest.fixture(scope="module")
def realm():
    realm = oauth_realm()
    realm.api_client("configurer", "config")
    return realm


@pytest.fixture
def postern(service, tmp_path):
    return Command(tmp_path, service.admin_url, *ADMIN)


def restore(service, file, *flags):
    return subprocess.run(
        [str(BIN / "postern-gateway"), "restore", str(file),
         f"--data-dir={service.data_dir}", *flags],
        capture_output=True, text=True, check=False, timeout=60 * SLOWNESS,
        env=clean_environment(service.directory))


def restored(service, file, *flags):
    assert service.gateway.stop() == 0
    done = restore(service, file, *flags)
    assert done.returncode == 0, done
    service.restart(service.gateway)
    return done.stdout


def backup(postern, name="backup.db", *flags):
    done = postern("backup", name, *flags)
    assert done.returncode == OK, done
    return postern.directory / name


def rows(file, sql):
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        found = store.execute(sql).fetchall()
    store.close()
    return found


def event_types(file):
    return [kind for kind, in rows(file, "select type from events")]


def files_like(service, word):
    return [path.name for path in service.data_dir.iterdir()
            if word in path.name]


# -- taking one -----------------------------------------------------------------

def test_a_backup_is_whole_private_and_leaves_an_event(service, postern):
    grant(service)
    file = backup(postern)
    assert rows(file, "pragma integrity_check") == [("ok",)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert rows(file, "select count(*) from grants")[0][0] > 0
    assert "STORE_BACKUP_TAKEN" in event_types(file)
    assert files_like(service, "backup") == []
    assert list(postern.directory.glob("*.part")) == []


def test_the_master_key_and_deleted_rows_are_not_in_it(service, postern):
    tokens = grant(service)
    kept = backup(postern, "kept.db")
    revoke(service, tokens["refresh_token"])
    file = backup(postern)
    gone = "select snapshot from grants order by number desc limit 1"
    [(snapshot,)] = rows(kept, gone)
    assert snapshot in kept.read_bytes()
    assert snapshot not in file.read_bytes()
    key = (service.data_dir / "master.key").read_bytes()
    assert key not in file.read_bytes()


def test_it_needs_the_scope_admin_and_a_free_name(service, postern):
    other = {"POSTERN_CLIENT_ID": "configurer"}
    secret = postern.directory / "other"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    other["POSTERN_SECRET_FILE"] = str(secret)
    assert postern("backup", "x.db", env=other).returncode == DENIED
    assert not (postern.directory / "x.db").exists()
    file = backup(postern)
    before = file.read_bytes()
    assert postern("backup", file.name).returncode == CONFLICT
    assert file.read_bytes() == before
    backup(postern, file.name, "--force")


def test_under_load_it_is_consistent_and_fails_nothing(service, postern):
    """Every grant in it has its tokens, and nobody notices."""
    grant(service)
    [(last,)] = rows(service.data_dir / "postern.db",
                     "select max(number) from grants")
    stop = []

    def load():
        count = 0
        while not stop:
            answer = service.complete("mirror", {
                "status": 2000, "user": {"id": unique("u")}})
            assert answer.status_code == 200, answer.text
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        try:
            until(lambda: service.executions() > 20, "load")
            files = [backup(postern, f"b{i}.db") for i in range(3)]
        finally:
            stop.append(True)
        assert sum(one.result() for one in loads) > 20
    for file in files:
        assert rows(file, "pragma integrity_check") == [("ok",)]
        assert rows(file, "select max(number) from grants")[0][0] > last
        assert rows(file, "select count(*) from grants where number not in"
                    " (select grant_number from tokens)") == [(0,)]
        assert rows(file, "select count(*) from tokens where"
                    f" grant_number > {last} and grant_number not in (select number from grants)") == [(0,)]
    restored(service, files[-1])
    assert grant(service)["access_token"]


# -- bringing it back -------------------------------------------------------------

def test_what_can_be_used_once_does_not_come_back(service, postern):
    tokens = grant(service)
    machine = token(service, "machine", grant_type="client_credentials",
                    scope="read").json()["access_token"]
    transaction = service.transaction()
    service.cache(["store", "code", "once", 300])
    assert service.cache(["fetch", "code"]) == ["once"]
    used = assertion(service)
    fields = {"client_assertion_type": ASSERTION_TYPE,
              "client_assertion": used, "scope": "read"}
    assert token(service, None, grant_type="client_credentials",
                 **fields).status_code == 200
    said = restored(service, backup(postern))
    assert "refresh tokens revoked" in said
    answer = service.complete("two", {"user": "x"}, transaction=transaction)
    assert answer.json()["error"] == "invalid_transaction"
    assert refresh(service, tokens["refresh_token"]).status_code == 400
    assert not is_active(service, tokens["access_token"])
    assert service.cache(["fetch", "code"]) == [None]
    again = token(service, None, grant_type="client_credentials", **fields)
    assert again.status_code == 401, again.text
    # Nothing to refresh it with: it ends by itself.
    assert is_active(service, machine)
    assert "STORE_RESTORED" in event_types(service.data_dir / "postern.db")


def test_refresh_tokens_can_be_kept(service, postern):
    tokens = grant(service)
    file = backup(postern)
    said = restored(service, file, "--keep-refresh")
    assert "refresh tokens kept" in said
    assert is_active(service, tokens["access_token"])
    assert refreshed(service, tokens["refresh_token"])["refresh_token"]


def test_what_was_there_is_kept_and_the_backup_too(service, postern):
    file = backup(postern)
    content = file.read_bytes()
    tokens = grant(service)
    # kill -9: what was granted is in the WAL, which must move along.
    service.gateway.kill()
    service.expected_ends.add(service.gateway)
    done = restore(service, file)
    assert done.returncode == 0, done
    service.expected_ends.discard(service.gateway)
    service.restart(service.gateway)
    assert not is_active(service, tokens["access_token"])
    assert file.read_bytes() == content
    before = service.data_dir / "postern.db.before-restore"
    with sqlite3.connect(before) as store:
        assert store.execute("pragma integrity_check").fetchone() == ("ok",)
        [there] = store.execute("select count(*) from grants").fetchone()
    store.close()
    assert there == rows(file, "select count(*) from grants")[0][0] + 1


def test_a_new_machine_needs_the_backup_and_the_master_key(
        service, postern, tmp_path):
    tokens = grant(service)
    file = backup(postern)
    assert service.gateway.stop() == 0
    key = (service.data_dir / "master.key").read_bytes()
    for path in service.data_dir.iterdir():
        if path.is_file():
            path.unlink()
    (service.data_dir / "master.key").touch(mode=0o600)
    (service.data_dir / "master.key").write_bytes(key)
    assert restore(service, file, "--keep-refresh").returncode == 0
    service.restart(service.gateway)
    assert refreshed(service, tokens["refresh_token"])


# -- what it refuses --------------------------------------------------------------

def refused(service, file, *words):
    done = restore(service, file)
    assert done.returncode == EX_UNAVAILABLE, done
    for word in words:
        assert word in done.stderr, done.stderr
    return done


def test_a_store_in_use_is_not_replaced(service, postern):
    file = backup(postern)
    tokens = grant(service)
    refused(service, file, "another gateway uses it")
    assert is_active(service, tokens["access_token"])


def test_no_backup_is_refused_and_changes_nothing(service, postern, tmp_path):
    file = backup(postern)
    assert service.gateway.stop() == 0
    before = (service.data_dir / "postern.db").read_bytes()
    empty = tmp_path / "empty"
    empty.touch()
    text = tmp_path / "text"
    text.write_text("not a database, but long enough to look at" * 20)
    foreign = tmp_path / "foreign"
    with sqlite3.connect(foreign) as other:
        other.execute("create table t (x)")
    other.close()
    damaged = tmp_path / "damaged"
    content = bytearray(file.read_bytes())
    content[4096 * 2:4096 * 6] = b"\xa5" * (4096 * 4)
    damaged.write_bytes(content)
    newer = tmp_path / "newer"
    newer.write_bytes(file.read_bytes())
    with sqlite3.connect(newer) as other:
        other.execute("pragma user_version = 99")
    other.close()
    refused(service, tmp_path / "missing", "missing")
    refused(service, tmp_path, "not a regular file")
    refused(service, empty, "nothing in it")
    refused(service, text)
    refused(service, foreign, "something else")
    refused(service, damaged, "damaged")
    refused(service, newer, "version 99", "newer Postern")
    assert (service.data_dir / "postern.db").read_bytes() == before
    assert files_like(service, "restor") == []
    service.restart(service.gateway)


def test_a_gateway_does_not_begin_anew_where_a_restore_was_interrupted(
        service, postern):
    file = backup(postern)
    assert service.gateway.stop() == 0
    # The moment when the old store is away and the new one not yet in place.
    store = service.data_dir / "postern.db"
    store.rename(service.data_dir / "postern.db.before-restore")
    (service.data_dir / "postern.db.restoring").write_bytes(file.read_bytes())
    service.gateway.start()
    assert service.gateway.popen.wait(60) == EX_UNAVAILABLE
    assert "a restore was interrupted" in service.gateway.log_text()
    assert not store.exists()
    assert restore(service, file).returncode == 0
    service.restart(service.gateway)


def test_restore_says_how_it_is_used(service):
    done = subprocess.run([str(BIN / "postern-gateway"), "restore"],
                          capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == EX_CONFIG
    assert "restore FILE" in done.stderr
    usage = subprocess.run([str(BIN / "postern-gateway"), "--help"],
                           capture_output=True, text=True, check=False,
                           timeout=60)
    assert "postern-gateway restore FILE" in usage.stdout


def test_the_api_gives_it_as_a_file(service):
    answer = configuration.get(service, "/backup")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/vnd.sqlite3"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content.startswith(b"SQLite format 3\0")
    assert len(answer.content) == int(answer.headers["Content-Length"])
