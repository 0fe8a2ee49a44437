#!/usr/bin/python3
"""Our sources as a build directory's compile_commands.json lists them."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    commands = json.loads(
        (Path(sys.argv[1]) / "compile_commands.json").read_text())
    for name in sorted({command["file"] for command in commands}):
        print(Path(name).resolve().relative_to(ROOT))


if __name__ == "__main__":
    main()
