"""Measurements as Markdown and as JSON lines."""
import datetime
import json
import os
import pathlib
import platform
import statistics


def machine():
    model = "?"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return (f"{os.cpu_count()} processors ({model}), Linux "
            f"{platform.release()}, {datetime.date.today().isoformat()}")


def spread(values, digits=0):
    """median (min to max)"""
    low, high = min(values), max(values)
    return (f"{statistics.median(values):,.{digits}f} "
            f"({low:,.{digits}f} to {high:,.{digits}f})")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |"
              for row in rows]
    return "\n".join(lines)


FLOW_HEAD = ("flow", "a second", "p50 ms", "p99 ms", "CPU µs: gateway",
             "engine", "scripts", "PSS MiB", "errors")


def flow_row(name, runs):
    def median(get):
        return statistics.median(get(run) for run in runs)

    return (name, spread([run.rate for run in runs]),
            f"{median(lambda run: run.p50_ms):.1f}",
            f"{median(lambda run: run.p99_ms):.1f}",
            f"{median(lambda run: run.cpu_us.get('gateway', 0)):.0f}",
            f"{median(lambda run: run.cpu_us.get('engine', 0)):.0f}",
            f"{median(lambda run: run.cpu_us['below']):.0f}",
            f"{max(run.pss_mib for run in runs):.0f}",
            sum(run.errors for run in runs))


class Lines:
    """JSON lines, one a run, in the order they were made."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None

    def add(self, what, run, **more):
        if self.file is None:
            return
        row = dict(vars(run), what=what, rate=round(run.rate, 1), **more)
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()
