#!/usr/bin/python3
"""The product's sources as a build directory's compile_commands.json lists
them; the tests' own are left out."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    commands = json.loads(
        (Path(sys.argv[1]) / "compile_commands.json").read_text())
    names = {Path(command["file"]).resolve().relative_to(ROOT)
             for command in commands}
    for name in sorted(names):
        if name.parts[0] != "tests":
            print(name)


if __name__ == "__main__":
    main()
