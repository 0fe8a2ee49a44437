"""The wires between hosts (ground.py), a process: takes packets from each
tunnel device and gives them to its other end, later or never.

Arguments: the seed, and the descriptors as JSON, [[inner, outer], ..]. Orders
come as JSON lines on standard input; its end is the process's."""

import heapq
import json
import os
import random
import select
import sys
import time
from dataclasses import dataclass

PACKET_BYTES = 4096
BURST = 64  # packets of one end before the others have their turn


@dataclass
class Wire:
    cut: bool = False
    delay_ms: float = 0
    loss: float = 0.0


def deliver(end, packet):
    try:
        os.write(end, packet)
    except OSError:
        pass  # the device is down or full: packets may be lost


class Wires:
    def __init__(self, seed, ends):
        self.random = random.Random(seed)
        self.wires = [Wire() for _ in ends]
        self.routes = {}  # from a descriptor: (its wire, the other end)
        for wire, (inner, outer) in zip(self.wires, ends):
            self.routes[inner] = (wire, outer)
            self.routes[outer] = (wire, inner)
        self.late = []  # (when, number, end, packet)
        self.number = 0
        self.orders = b""

    def carry(self, source):
        wire, end = self.routes[source]
        for _ in range(BURST):
            try:
                packet = os.read(source, PACKET_BYTES)
            except OSError:
                return
            if wire.cut or (wire.loss and self.random.random() < wire.loss):
                continue
            if not wire.delay_ms:
                deliver(end, packet)
                continue
            self.number += 1
            heapq.heappush(self.late, (
                time.monotonic() + wire.delay_ms / 1000, self.number, end,
                packet))

    def deliver_late(self):
        now = time.monotonic()
        while self.late and self.late[0][0] <= now:
            _, _, end, packet = heapq.heappop(self.late)
            deliver(end, packet)

    def obey(self):
        """False at the end of the orders."""
        more = os.read(0, PACKET_BYTES)
        *lines, self.orders = (self.orders + more).split(b"\n")
        for line in lines:
            order = json.loads(line)
            wire = self.wires[order.pop("host")]
            for key, value in order.items():
                setattr(wire, key, value)
        return bool(more)

    def run(self):
        poll = select.epoll()
        for source in [0, *self.routes]:
            poll.register(source, select.EPOLLIN)
        while True:
            wait = -1
            if self.late:
                wait = max(0, self.late[0][0] - time.monotonic())
            for source, _ in poll.poll(wait):
                if source != 0:
                    self.carry(source)
                elif not self.obey():
                    return
            self.deliver_late()


if __name__ == "__main__":
    Wires(int(sys.argv[1]), json.loads(sys.argv[2])).run()
