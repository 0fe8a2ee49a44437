"""A machine of its own for a test: systemd as PID 1 in fresh namespaces over an
overlay of this host's files (init.sh). What happens in it stays in it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOOT_SECS = 30
STOP_SECS = 30
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def until(condition, what, secs=BOOT_SECS):
    end = time.monotonic() + secs
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {secs} s for {what}"
        time.sleep(0.02)


def cgroup_root():
    for path in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if Path(path, "cgroup.procs").exists():
            return Path(path)
    return None


def why_impossible():
    """None where a machine can be made; else the reason."""
    if os.geteuid() != 0:
        return "needs root"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed: .ci/packages test"
    if cgroup_root() is None:
        return "no cgroup2 file system"
    tried = subprocess.run(
        ["unshare", "--cgroup", "--mount", "--uts", "--ipc", "--net", "--pid",
         "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"namespaces are forbidden here: {tried.stderr.strip()}"
    return None


class Machine:
    """In a `with`: booted, and gone afterwards with all its processes."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="postern-machine-"))
        self.console = Path(tempfile.mkstemp(prefix="postern-console-")[1])
        self.cgroup = cgroup_root() / self.directory.name
        self.unshare = None
        self.pid = None

    def __enter__(self):
        try:
            self.boot()
        except BaseException:
            print(self.console.read_text(errors="replace"))
            self.end()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(self.logs())
        self.end()

    def boot(self):
        self.cgroup.mkdir()
        with open(self.console, "wb") as console:
            self.unshare = subprocess.Popen(
                ["unshare", "--cgroup", "--mount", "--uts", "--ipc", "--net",
                 "--pid", "--fork", "bash", str(HERE / "init.sh"),
                 str(self.directory)],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                preexec_fn=lambda: (self.cgroup / "cgroup.procs").write_text(
                    str(os.getpid())))
        self.pid = until(self.first_process, "PID 1")
        until(lambda: self.run("systemctl", "is-active", "postern-test.target",
                               check=False).stdout == "active\n", "the boot")

    def first_process(self):
        assert self.unshare.poll() is None, "init.sh failed"
        path = f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children"
        children = Path(path).read_text().split()
        return int(children[0]) if children else None

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.pid), "--all", "--wd=/", "--", "env",
                "-i", f"PATH={PATH}", "DEBIAN_FRONTEND=noninteractive",
                "COLUMNS=200", "HOME=/root", *arguments]

    def run(self, *arguments, check=True, stdin=None):
        done = subprocess.run(self.command(*arguments), capture_output=True,
                              text=True, check=False, timeout=300, input=stdin)
        if check:
            assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def popen(self, *arguments):
        return subprocess.Popen(self.command(*arguments), text=True,
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE)

    def path(self, inside):
        """Where a file of the machine is seen from here."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def show(self, unit, name):
        return self.run("systemctl", "show", "-p", name, "--value",
                        unit).stdout.strip()

    def main_pid(self, unit):
        return int(self.show(unit, "MainPID"))

    def logs(self):
        journal = self.run("journalctl", "--no-pager", "-n", "150",
                           check=False).stdout
        return (f"---- console\n{self.console.read_text(errors='replace')}"
                f"---- journal\n{journal}")

    def end(self):
        """The kernel kills all of a PID namespace with its first process."""
        if self.pid is not None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.unshare is not None:
            self.unshare.wait(STOP_SECS)
        until(self.remove_cgroup, "the control groups to empty", STOP_SECS)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.console.unlink()

    def remove_cgroup(self):
        if not self.cgroup.exists():
            return True
        for path, _, _ in os.walk(self.cgroup, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                return False
        return True
