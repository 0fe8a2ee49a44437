#!/usr/bin/python3
"""One line a test from a JUnit file of ctest or pytest, failures in full.

Arguments: the file, and a prefix for each test's name.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

NAME_MAX = 150


def name_of(case):
    """unit/STEM as ctest says it; service/FILE::TEST for pytest, or
    systemd/FILE::TEST, chaos/FILE::TEST."""
    where = case.get("classname", "")
    place = re.search(r"(?:^|\.)test_(\w+)((?:\.\w+)*)$", where)
    name = case.get("name", "?")
    kind = next((k for k in ("systemd", "chaos") if f".{k}." in where),
                "service")
    return f"{kind}/{place[1]}::{name}" if place else name


def cut(name):
    """A parameter may be a test's whole input."""
    return name if len(name) <= NAME_MAX else name[:NAME_MAX - 3] + "..."


def indented(text):
    return "\n".join("    " + line for line in text.rstrip().splitlines())


def show(case, prefix):
    name = prefix + cut(name_of(case))
    seconds = float(case.get("time") or 0)
    trouble = [t for t in (case.find("failure"), case.find("error"))
               if t is not None]
    skipped = case.find("skipped")
    if trouble:
        print(f"FAIL {name}  ({seconds:.1f} s)")
        for element in [*trouble, case.find("system-out"),
                        case.find("system-err")]:
            if element is not None and element.text:
                print(indented(element.text))
    elif skipped is not None or case.get("status") == "disabled":
        reason = skipped.get("message", "") if skipped is not None else ""
        print(f"SKIP {name}  ({reason})")
    else:
        print(f"PASS {name}  ({seconds:.1f} s)")


def main():
    for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
        show(case, sys.argv[2])


if __name__ == "__main__":
    main()
