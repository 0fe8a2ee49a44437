"""The hostile corpus: tests/hostile/FOLDER/NAME.js, where FOLDER is the
expected end. The first line of a script is a comment with a JSON object:

  entry     init, complete (default) or backchannel
  data      the request's data; absent: none
  codes     the execution's internal codes that are right; harmless: [0]
  script    limits of its own, as in idp.yaml
  times     how often it is called
  status    harmless: the HTTP status; default 200
  answer    harmless: the answer's data
  message, line          what the operator must be shown
  claims_absent          members introspection or the answer must not have
  log_absent             a text that must not become an event of the log
  answer_differs         harmless: no two answers are the same
  also_ok                error: a success is right too
  generate, count        refused: the source is this text so many times
"""

import json
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[2] / "hostile"

DEFAULT_CODES = {"harmless": [0]}

# A killed script's clock is short; the others must end well before theirs.
DEFAULT_LIMITS = {"killed": {"wall_ms": 500, "cpu_ms": 10000}}


class Script:
    def __init__(self, path):
        self.path = path
        self.folder = path.parent.name
        self.name = f"{self.folder}-{path.stem}"
        self.source = path.read_text()
        self.about = json.loads(self.source.splitlines()[0].lstrip("/ "))
        self.entry = self.about.get("entry", "complete")
        self.codes = self.about.get(
            "codes", DEFAULT_CODES.get(self.folder, []))
        self.limits = {**DEFAULT_LIMITS.get(self.folder, {}),
                       **self.about.get("script", {})}
        self.times = self.about.get("times", 1)
        if "generate" in self.about:
            self.source += self.about["generate"] * self.about["count"]

    def __repr__(self):
        return f"{self.folder}/{self.path.stem}"


def scripts(*folders):
    return [Script(path) for path in sorted(DIRECTORY.glob("*/*.js"))
            if path.parent.name in folders]
