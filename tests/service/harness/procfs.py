"""What the kernel says of processes: who lives, whose child, which state."""

import os
from pathlib import Path


def stat_fields(pid):
    """Fields of /proc/PID/stat from the state on, None for no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def is_alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] != "Z"


def children(pid):
    found = []
    for other in all_pids():
        fields = stat_fields(other)
        if fields and fields[0] != "Z" and int(fields[1]) == pid:
            found.append(other)
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def leads_a_session(pid):
    fields = stat_fields(pid)
    return fields is not None and int(fields[3]) == pid


def started_at(pid):
    """Clock ticks since boot: with the pid, names one process for good."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields else None


def status(pid):
    """/proc/PID/status as a dictionary."""
    text = Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


def executable(pid):
    """Name of what runs, "" where the process has gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def descriptors(pid):
    """Open descriptors: number to what it is."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue
    return found
