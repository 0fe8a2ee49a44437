"""One run of wrk against a server, and what the server used meanwhile."""
import dataclasses
import os
import pathlib
import subprocess
import threading

WRK_DIR = pathlib.Path(__file__).resolve().parent / "wrk"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Request:
    """What is sent; see wrk/post.lua and, with `then`, wrk/chain.lua."""
    url: str
    path: str
    expect: str
    body: str = ""
    auth: str = ""
    ctype: str = "application/json"
    method: str = "POST"
    then: tuple = ()     # (pattern, path, body) of the request that follows
    tokens: str = ""     # file with what counts as captured before

    def environment(self):
        names = {"METHOD": self.method, "BODY": self.body,
                 "CTYPE": self.ctype if self.body or self.then else "",
                 "AUTH": self.auth, "EXPECT": self.expect,
                 "FIRST_PATH": self.path, "TOKENS": self.tokens,
                 "WRK_DIR": str(WRK_DIR)}
        if self.then:
            names["FIND"], names["NEXT_PATH"], names["NEXT"] = self.then
        return {name: text for name, text in names.items() if text}


@dataclasses.dataclass
class Run:
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    errors: int
    cpu_us: dict         # CPU a request, by process
    pss_mib: float       # most of all processes together
    wrong: int = 0
    sample: str = ""

    @property
    def rate(self):
        return self.requests / self.seconds


def descendants(pid):
    found, pending = [], [pid]
    while pending:
        parent = pending.pop()
        found.append(parent)
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                pending += [int(child) for child in task.read_text().split()]
            except OSError:
                pass
    return found


def stat(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return [int(word) if word.lstrip("-").isdigit() else 0
            for word in text.rsplit(")", 1)[1].split()]


def cpu_seconds(pids):
    """By name: each process's own CPU; those below the second kind, the
    living and those reaped, count as "below"."""
    used = {}
    below = 0
    for name, group in pids.items():
        used[name] = 0
        for pid in group:
            fields = stat(pid)
            if fields is None:
                continue
            used[name] += fields[11] + fields[12]
            below += fields[13] + fields[14]
            for child in descendants(pid)[1:]:
                fields = stat(child)
                if fields is not None:
                    below += sum(fields[11:15])
    used["below"] = below
    return {name: ticks / TICKS for name, ticks in used.items()}


def pss_mib(pids):
    total = 0
    for group in pids.values():
        for pid in group:
            for each in descendants(pid):
                try:
                    text = pathlib.Path(
                        f"/proc/{each}/smaps_rollup").read_text()
                except OSError:
                    continue
                total += sum(int(line.split()[1])
                             for line in text.splitlines()
                             if line.startswith("Pss:"))
    return total / 1024


class MemoryWatch(threading.Thread):
    """The greatest PSS, looked at once a second."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids, self.most, self.ended = pids, 0.0, threading.Event()

    def run(self):
        while not self.ended.wait(1):
            self.most = max(self.most, pss_mib(self.pids))


def run(request, pids, seconds, connections=32, rate=None, check=False):
    """wrk with one thread. `rate`: so many a second instead of as many as
    possible. `check`: every answer is looked at."""
    environment = dict(os.environ, CONNECTIONS=str(connections),
                       **request.environment())
    if check:
        environment["CHECK"] = "1"
    if rate:
        environment["RATE"] = str(rate)
    script = WRK_DIR / ("chain.lua" if request.then else "post.lua")
    watch = MemoryWatch(pids)
    before = cpu_seconds(pids)
    watch.start()
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout",
         "10s", "-s", script, request.url + request.path],
        env=environment, capture_output=True, text=True, check=False,
        timeout=seconds + 60)
    after = cpu_seconds(pids)
    watch.ended.set()
    watch.join()
    lines = {line.split(" ", 1)[0]: line.split(" ", 1)[1]
             for line in done.stdout.splitlines() if " " in line}
    if "WRK" not in lines:
        raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
    numbers = [int(word) for word in lines["WRK"].split()]
    count = max(numbers[0], 1)
    return Run(
        requests=numbers[0], seconds=numbers[1] / 1e6,
        p50_ms=numbers[2] / 1e3, p99_ms=numbers[3] / 1e3,
        p999_ms=numbers[4] / 1e3, max_ms=numbers[5] / 1e3,
        errors=numbers[6], wrong=numbers[7], sample=lines.get("SAMPLE", ""),
        cpu_us={name: (after[name] - before[name]) / count * 1e6
                for name in after},
        pss_mib=max(watch.most, pss_mib(pids)))


def warm_up(request, pids, seconds=2):
    """Checks every answer; raises on one that is not as expected."""
    first = run(request, pids, seconds, check=True)
    if first.wrong or first.errors or not first.requests:
        raise RuntimeError(
            f"{request.path}: {first.wrong} of {first.requests} answers were "
            f"not as expected, {first.errors} failed: {first.sample}")
