"""What a machine can refuse: memory, durable writes, descriptors, disk, an
honest clock. tests/faults/fault_shim.c does the refusing."""

import mmap
import struct

from harness.processes import BIN

SHIM = BIN.parent / "tests" / "fault_shim.so"

# struct control of the shim, in order.
FIELDS = ("pid", "seen", "fail_at", "fail_for", "sync_fails", "wall_secs",
          "sync_failed")

FOREVER = 1 << 40


class Faults:
    """The control of one process's shim; attach() before it is started."""

    def __init__(self, process):
        self.process = process
        path = process.directory / f"{process.name}.faults"
        path.write_bytes(bytes(8 * len(FIELDS)))
        with open(path, "r+b") as file:
            self.mapped = mmap.mmap(file.fileno(), 0)
        process.environment.update(LD_PRELOAD=str(SHIM),
                                   POSTERN_FAULT_CONTROL=str(path))

    def __getitem__(self, field):
        return struct.unpack_from("q", self.mapped, 8 * FIELDS.index(field))[0]

    def __setitem__(self, field, value):
        struct.pack_into("q", self.mapped, 8 * FIELDS.index(field), value)

    def begin(self):
        """From now on the process is meant."""
        self["pid"] = self.process.pid

    def fail_allocation(self, number, count=1):
        """The number-th from now, and those after it up to count."""
        self["fail_at"] = 0
        self["fail_for"] = count
        self["seen"] = 0
        self["fail_at"] = number

    def relent(self):
        """No allocation fails; how many were seen since fail_allocation()."""
        self["fail_at"] = 0
        return self["seen"]
