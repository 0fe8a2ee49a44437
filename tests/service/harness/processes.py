"""One real executable: starting it, its log, ending it, what it left."""

import json
import os
import random
import resource
import signal
import socket
import subprocess
from pathlib import Path

from harness import procfs
from harness.wait import until

ROOT = Path(__file__).resolve().parents[3]
PRESET = os.environ.get("POSTERN_PRESET", "release")
# Other executables than a preset's, where POSTERN_BIN names their directory.
BIN = Path(os.environ.get("POSTERN_BIN", ROOT / "build" / PRESET / "bin"))
SANITIZED = PRESET in ("asan", "tsan")

# A sanitizer makes everything several times slower.
SLOWNESS = 10 if SANITIZED else 1

STOP_SECS = 20 * SLOWNESS

# quickstart's are above these.
LISTENING_PORTS = (10000, 20000)

TSAN_SUPPRESSIONS = ROOT / "tests" / "service" / "tsan-suppressions.txt"


def free_port():
    """Below what the kernel gives to outgoing connections, of which one could
    have it before who is to listen there."""
    while True:
        port = random.randrange(*LISTENING_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def allow_cores():
    """So that a missing core is the process's doing, not this shell's."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


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
        # What a test of faults starts it with: words before the executable,
        # more environment, resource limits.
        self.prefix = []
        self.environment = {}
        self.limits = {}
        self.popen = None
        self.known = set()  # (pid, start time) of it and its descendants

    @property
    def pid(self):
        return self.popen.pid

    def start(self):
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                [*self.prefix, str(BIN / self.name), *self.flags],
                stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.directory,
                start_new_session=True, preexec_fn=self.set_limits,
                env={**clean_environment(self.directory), **self.environment})

    def set_limits(self):
        allow_cores()
        for which, value in self.limits.items():
            resource.setrlimit(which, (value, value))

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def remember_descendants(self):
        """Runners have sessions of their own: only now is it known whose."""
        for pid in [self.pid, *procfs.descendants(self.pid)]:
            self.known.add((pid, procfs.started_at(pid)))

    def kill(self):
        """kill -9, and reaped."""
        self.remember_descendants()
        self.popen.kill()
        self.popen.wait(STOP_SECS)

    def stop(self):
        """SIGTERM; the exit status. A process that hangs is killed."""
        if self.popen is None:
            return 0
        if self.popen.poll() is None:
            self.remember_descendants()
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(STOP_SECS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            return "hung at SIGTERM"

    def leftovers(self):
        """Descendants that outlived it, after a moment to notice; killed."""
        def alive():
            return [pid for pid, since in self.known
                    if procfs.is_alive(pid) and procfs.started_at(pid) == since]
        try:
            until(lambda: not alive(), "children to end", 5 * SLOWNESS)
            return []
        except AssertionError:
            left = alive()
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
