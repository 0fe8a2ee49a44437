"""Programs of npm packages: installed into the build directory, never into the
source tree, from the lock file beside the programs."""

import fcntl
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.processes import ROOT, SLOWNESS

SOURCE = Path(__file__).resolve().parent.parent / "clients"
INSTALLED = ROOT / "build" / "clients"
INSTALL_SECS = 300


def node_command():
    """node, with the global crypto that it hides before version 20."""
    version = subprocess.run(["node", "--version"], capture_output=True,
                             text=True, check=True).stdout
    major = int(version.lstrip("v").split(".")[0])
    return ["node", *(["--experimental-global-webcrypto"] if major < 20
                      else [])]


def install():
    """`npm ci`, once a lock file; skips where there is no npm."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: .ci/packages test")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in SOURCE.iterdir():
            if path.suffix in (".mjs", ".json"):
                shutil.copy(path, INSTALLED)
        stamp = INSTALLED / "installed"
        wanted = hashlib.sha256(
            (SOURCE / "package-lock.json").read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=INSTALLED, capture_output=True, text=True, check=False,
            timeout=INSTALL_SECS)
        assert done.returncode == 0, "npm ci failed:\n" + done.stderr
        stamp.write_text(wanted)


def run(program, given):
    """What clients/PROGRAM.mjs printed when it was given that."""
    done = subprocess.run(
        [*node_command(), f"{program}.mjs"], cwd=INSTALLED,
        input=json.dumps(given), capture_output=True, text=True, check=False,
        timeout=60 * SLOWNESS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
