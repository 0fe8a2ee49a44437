#!/usr/bin/python3
"""Static checks of the tree that no compiler makes: who may include what,
headers that compile alone, sizes, names, layout.

Prints one line a check, "PASS static/NAME" or "FAIL static/NAME" with what is
wrong below it. Arguments: a regular expression that check names must match.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 800

# Which of our folders a folder may include from, beside itself. The longest
# matching prefix of the including file's folder counts.
OWN = {
    "common": [],
    "proto": ["common"],
    "gateway": ["common", "proto", "gateway"],
    "gateway/keys": ["common"],
    "gateway/store": ["common"],
    "gateway/http": ["common"],
    "gateway/realm": ["common", "gateway/keys"],
    "gateway/config": ["common", "gateway/realm", "gateway/store",
                       "gateway/keys"],
    "gateway/dispatch": ["common", "proto", "gateway/realm", "gateway/store",
                         "gateway/keys"],
    "gateway/oauth": ["common", "gateway/http", "gateway/dispatch",
                      "gateway/realm", "gateway/store", "gateway/keys"],
    "gateway/admin": ["common", "gateway/http", "gateway/dispatch",
                      "gateway/oauth", "gateway/config", "gateway/realm",
                      "gateway/store", "gateway/keys"],
    # The schema, for scripts that run from a realm's directory.
    "gateway/ctl": ["common", "proto", "gateway/realm", "gateway/keys"],
    "engine": ["common", "proto", "engine/front"],
    # runner_exit.h: what the runner's exit statuses mean, for its supervisor.
    "engine/front": ["common", "proto", "engine/runner/runner_exit.h"],
    "engine/runner": ["common", "proto"],
    "tests": ["common", "proto", "gateway", "engine"],
}

# The home of each third-party header (ARCHITECTURE: one each). Tests may use
# what the module they test uses.
HOMES = {
    r"civetweb": ["gateway/http"],
    r"sqlite3": ["gateway/store"],
    r"(duktape|duk_)": ["engine/runner"],
    r"nng/": ["proto"],
    r"msgpack": ["proto"],
    r"curl/": ["engine/front", "gateway/ctl"],
    r"openssl/": ["gateway/keys", "engine/front"],
    r"libfyaml": ["gateway/realm"],
    r"jansson": ["gateway/realm", "gateway/dispatch", "gateway/oauth",
                 "gateway/admin", "gateway/ctl", "engine/front"],
    r"cjose/": ["gateway/oauth"],
    r"(argon2|crypt)\.h": ["gateway/realm", "gateway/oauth", "engine/front"],
    r"nettle/": ["engine/runner"],
    r"(seccomp|linux/seccomp|linux/landlock|linux/filter)": ["engine/runner"],
    r"systemd/": ["common"],
    r"cmocka": [],
}

TOP_LEVEL = {"common", "proto", "gateway", "engine", "tests", "systemd", "docs",
             "CMakeLists.txt", "CMakePresets.json", "README.md",
             "CHANGELOG.md", "LICENSE", "quickstart"}

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not implemented", re.I)

# A guess of how long something takes. The rhythm of a thread that looks at
# things every so often is nanosleep() and no guess.
SLEEP = re.compile(r"\b(sleep|usleep)\s*\(")


def tracked(*endings):
    """Files of the project, also new ones that git does not ignore."""
    out = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
        capture_output=True, text=True, check=True).stdout
    names = sorted(set(out.splitlines()))
    return [n for n in names
            if (not endings or n.endswith(endings)) and (ROOT / n).is_file()]


def lines_of(name):
    return (ROOT / name).read_text(errors="replace").splitlines()


def own_rule(folder):
    while folder and folder not in OWN:
        folder = os.path.dirname(folder)
    return folder, OWN.get(folder, [])


def may_include(folder, header):
    home, allowed = own_rule(folder)
    if "/" not in header:
        return folder.startswith("tests") and (ROOT / folder / header).exists()
    target = os.path.dirname(header)
    return header in allowed or any(
        target == a or target.startswith(a + "/")
        for a in [folder, home, *allowed])


def third_party_home(header):
    for pattern, homes in HOMES.items():
        if re.match(pattern, header):
            return homes
    return None


def check_includes():
    """Each folder includes only what ARCHITECTURE section 3 lets it."""
    for name in tracked(".c", ".h", ".def"):
        folder = os.path.dirname(name)
        for number, line in enumerate(lines_of(name), 1):
            quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            angled = re.match(r"\s*#\s*include\s+<([^>]+)>", line)
            if quoted and not may_include(folder, quoted[1]):
                yield f"{name}:{number}: {folder} may not include {quoted[1]}"
            header = (angled or quoted or [None, ""])[1]
            homes = third_party_home(header)
            if (homes is not None and not folder.startswith("tests")
                    and folder not in homes):
                yield f"{name}:{number}: {header} has its home in {homes}"


def check_headers_alone():
    """Every header compiles as the only include of a file. Not the tests'
    fixtures: cmocka.h has to stand before what uses it."""
    flags = ["-std=c17", "-D_GNU_SOURCE", "-DPOSTERN_VERSION=\"0\"", "-Wall",
             "-Wextra", "-Wpedantic", "-Werror", f"-I{ROOT}", "-fsyntax-only",
             "-x", "c", "-"]

    def compile_one(name):
        text = f'#include "{name}"\n#include "{name}"\nextern int alone;\n'
        done = subprocess.run(["gcc", *flags], input=text, text=True,
                              capture_output=True, check=False)
        return "" if done.returncode == 0 else f"{name}:\n{done.stderr}"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(compile_one, (
            name for name in tracked(".h") if not name.startswith("tests/"))))
    yield from filter(None, results)


def check_stems():
    """A stem names one module: one .c and one .h of that name in the tree."""
    for ending in (".c", ".h"):
        seen = {}
        for name in tracked(ending):
            base = os.path.basename(name)
            if base == "main.c":
                continue
            if base in seen:
                yield f"{name}: {seen[base]} has that stem already"
            seen.setdefault(base, name)


def check_sizes():
    """No file has two responsibilities' worth of lines."""
    for name in tracked(".c", ".h", ".py", ".def", "tests/run", "quickstart"):
        count = len(lines_of(name))
        if count > FILE_LINES_MAX:
            yield f"{name}: {count} lines, at most {FILE_LINES_MAX}"


def check_heads():
    """Each source file opens with its responsibility."""
    for name in tracked(".c", ".h", ".def"):
        first = next(iter(lines_of(name)), "")
        if not first.startswith("/*"):
            yield f"{name}:1: begins without a comment on what it is for"


def check_unfinished():
    """Nothing is left for later, and nothing waits by sleeping."""
    for name in tracked(".c", ".h", ".def", ".py", "tests/run", "quickstart"):
        if name == "tests/structure.py":
            continue
        for number, line in enumerate(lines_of(name), 1):
            if UNFINISHED.search(line):
                yield f"{name}:{number}: {line.strip()}"
            if name.endswith((".c", ".h")) and SLEEP.search(line):
                yield f"{name}:{number}: {line.strip()}"


def check_top_level():
    """The top level holds what ARCHITECTURE lists and nothing else."""
    entries = {name.split("/")[0] for name in tracked()}
    for entry in sorted(entries):
        if entry not in TOP_LEVEL and not entry.startswith("."):
            yield f"{entry}: not among what the top level holds"


def check_documents():
    """What a document links to or names in backquotes is in the tree."""
    files = set(tracked())
    folders = {str(parent) for name in files for parent in Path(name).parents}
    for name in tracked(".md"):
        text = "\n".join(lines_of(name))
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            path = link.split("#")[0]
            if not path or re.match(r"[a-z]+:", link):
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(name), path))
            if target not in files | folders:
                yield f"{name}: links to {link}, which is not there"
        for path in re.findall(r"`((?:common|proto|gateway|engine|tests|systemd|"
                               r"docs)/[\w./@-]+)`", text):
            if path.rstrip("/") not in files | folders:
                yield f"{name}: names {path}, which is not there"


def check_layout():
    """clang-format has nothing to change."""
    names = tracked(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *names],
                          cwd=ROOT, capture_output=True, text=True,
                          check=False)
    wrong = {}
    for line in done.stderr.splitlines():
        place = re.match(r"(.*?):(\d+):\d+: error", line)
        if place:
            wrong.setdefault(place[1], []).append(place[2])
    for name, numbers in wrong.items():
        yield (f"{name}: lines {', '.join(numbers[:8])}: "
               f"run clang-format -i {name}")


CHECKS = {
    "static/includes": check_includes,
    "static/headers-alone": check_headers_alone,
    "static/stems": check_stems,
    "static/sizes": check_sizes,
    "static/heads": check_heads,
    "static/unfinished": check_unfinished,
    "static/top-level": check_top_level,
    "static/documents": check_documents,
    "static/layout": check_layout,
}


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = False
    for name, check in CHECKS.items():
        if not re.search(pattern, name):
            continue
        problems = list(check())
        print("FAIL" if problems else "PASS", name)
        for problem in problems:
            print("    " + problem.rstrip().replace("\n", "\n    "))
        failed = failed or bool(problems)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
