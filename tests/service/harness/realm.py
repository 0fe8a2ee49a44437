"""A realm directory in the making. JSON is YAML, so documents are JSON."""

import json
import shutil
from pathlib import Path

SECRET = "only-in-tests"


class Realm:
    def __init__(self):
        self.files = {}

    def text(self, path, content):
        """A file as given: for mistakes and their lines."""
        self.files[path] = content

    def document(self, path, content):
        self.text(path, json.dumps(content, indent=1) + "\n")

    def settings(self, **keys):
        self.document("realm.yaml", keys)

    def scopes(self, *ids):
        self.document("scopes.yaml", [{"id": i} for i in ids])

    def properties(self, *rows):
        self.document("properties.yaml", list(rows))

    def client(self, client_id, **keys):
        self.document(f"clients/{client_id}.yaml",
                      {"client_id": client_id,
                       "client_secret": {"plain": SECRET}, **keys})

    def api_client(self, client_id, *scopes, **keys):
        self.document(f"api-clients/{client_id}.yaml",
                      {"client_id": client_id,
                       "client_secret": {"plain": SECRET},
                       "scopes": list(scopes), **keys})

    def idp(self, identifier, complete, init=None, backchannel=None, **keys):
        """Two-step where there is an init script."""
        kind = "one_step" if init is None else "two_step"
        folder = f"idps/{identifier}"
        self.document(f"{folder}/idp.yaml", {"type": kind, **keys})
        self.text(f"{folder}/complete.js", complete)
        for stem, script in (("init", init), ("backchannel", backchannel)):
            if script is not None:
                self.text(f"{folder}/{stem}.js", script)

    def write(self, directory):
        directory = Path(directory)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for name, content in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # there are secrets in some
            path.write_bytes(content if isinstance(content, bytes)
                             else content.encode())
