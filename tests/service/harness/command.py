"""The `postern` command, run as a user's shell would."""

import os
import subprocess

from harness.processes import BIN, SLOWNESS

(OK, FAILED, DRIFT, USAGE, UNREACHABLE, DENIED, INVALID, CONFLICT,
 NOT_FOUND) = range(9)

# As hard to carry as a secret can be.
SECRET = "s3cret:with%odd+letters ü"

RUN_SECS = 60 * SLOWNESS


class Command:
    """In a directory of its own, as an API client from its environment."""

    def __init__(self, directory, url, client_id="tester", secret=SECRET):
        self.directory = directory
        self.secret = secret
        secret_file = directory / "secret"
        secret_file.touch(mode=0o600)
        secret_file.write_text(secret + "\n")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(directory),
            "POSTERN_URL": url, "POSTERN_CLIENT_ID": client_id,
            "POSTERN_SECRET_FILE": str(secret_file)}

    def __call__(self, *words, stdin=None, env=None):
        done = subprocess.run(
            [str(BIN / "postern"), *map(str, words)], input=stdin or "",
            capture_output=True, text=True, check=False, timeout=RUN_SECS,
            env={**self.environment, **(env or {})}, cwd=self.directory)
        assert done.returncode >= 0, done
        assert self.secret not in done.stdout + done.stderr
        return done
