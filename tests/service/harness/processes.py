"""One real executable: starting it, its log, ending it, what it left."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from harness import procfs
from harness.wait import until

ROOT = Path(__file__).resolve().parents[3]
PRESET = os.environ.get("POSTERN_PRESET", "release")
BIN = ROOT / "build" / PRESET / "bin"
SANITIZED = PRESET in ("asan", "tsan")

# A sanitizer makes everything several times slower.
SLOWNESS = 10 if SANITIZED else 1

STOP_SECS = 20 * SLOWNESS

TSAN_SUPPRESSIONS = ROOT / "tests" / "service" / "tsan-suppressions.txt"


def free_port():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_environment(directory):
    """Ours, without settings of Postern, and with sanitizers that report into
    files which the tests look for."""
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith("POSTERN_")}
    report = f"log_path={directory}/sanitizer:exitcode=99"
    environment["ASAN_OPTIONS"] = report
    environment["UBSAN_OPTIONS"] = report + ":print_stacktrace=1"
    environment["TSAN_OPTIONS"] = (
        report + f":suppressions={TSAN_SUPPRESSIONS}")
    return environment


def run(name, *flags, stdin=None, secs=30):
    """Runs an executable to its end: for --check, --print-config, --help."""
    return subprocess.run(
        [str(BIN / name), *flags], capture_output=True, text=True, input=stdin,
        timeout=secs * SLOWNESS, check=False,
        env=clean_environment("/tmp"))


class Process:
    """An executable of ours with its log in `directory`/NAME.log (JSON)."""

    def __init__(self, name, flags, directory):
        self.name = name
        self.flags = flags
        self.directory = Path(directory)
        self.log_path = self.directory / f"{name}.log"
        self.popen = None
        self.sessions = []

    @property
    def pid(self):
        return self.popen.pid

    def start(self):
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                [str(BIN / self.name), *self.flags], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.directory,
                start_new_session=True,
                env=clean_environment(self.directory))
        self.sessions.append(self.popen.pid)

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        """kill -9, and reaped."""
        self.popen.kill()
        self.popen.wait(STOP_SECS)

    def stop(self):
        """SIGTERM; the exit status. A process that hangs is killed."""
        if self.popen is None:
            return 0
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(STOP_SECS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            return "hung at SIGTERM"

    def leftovers(self):
        """Processes that outlived this one, after a moment to notice."""
        def none_left():
            return not any(procfs.of_session(s) for s in self.sessions)
        try:
            until(none_left, "children to end", 5 * SLOWNESS)
            return []
        except AssertionError:
            left = [pid for s in self.sessions for pid in procfs.of_session(s)]
            names = [f"{pid} {procfs.executable(pid)}" for pid in left]
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            return names

    def log_text(self):
        if not self.log_path.exists():
            return ""
        return self.log_path.read_text(errors="replace")

    def log_entries(self):
        """Lines of the log that are JSON objects."""
        entries = []
        for line in self.log_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                entries.append(entry)
        return entries
