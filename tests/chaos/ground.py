"""Hosts of the test's own: network namespaces without names, so that nothing
is left of them when the test's process has gone, and a wire to each that a
test may cut, slow down or make lossy.

The wire is a process of ours between two tunnel devices (wire.py): its losses
come from the seed, and it needs no netem, which not every kernel has."""

import ctypes
import fcntl
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000

# Where the gateway and the test are, seen from every host.
GATEWAY_ADDRESS = "10.99.0.1"

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, timeout=20,
                   capture_output=True)


def tunnel(name):
    """A tunnel device in this thread's namespace; our end of it."""
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack(
        "16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return end


def in_thread(function):
    """Its result or exception, from a thread that ends with it: a namespace is
    a thread's."""
    outcome = {}

    def run():
        try:
            outcome["result"] = function()
        except BaseException as problem:  # pylint: disable=broad-except
            outcome["problem"] = problem
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "problem" in outcome:
        raise outcome["problem"]
    return outcome["result"]


def refusal():
    """Why there can be no ground here; None: there can."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"

    def try_it():
        check(libc.unshare(CLONE_NEWNET))
        os.close(tunnel("wire0"))
    try:
        in_thread(try_it)
        ip("-Version")
    except (OSError, subprocess.SubprocessError) as problem:
        return f"network namespaces are refused here: {problem}"
    return None


def leave_the_machine():
    """This process and all it starts: into a namespace of their own."""
    check(libc.unshare(CLONE_NEWNET))
    ip("link", "set", "lo", "up")
    ip("address", "add", f"{GATEWAY_ADDRESS}/32", "dev", "lo")


class Host:
    """One namespace; `number` is in its address."""

    def __init__(self, ground, number):
        self.ground = ground
        self.number = number
        self.address = f"10.99.{number}.2"
        self.namespace = None
        self.inner = in_thread(self.make)
        self.outer = tunnel(f"wire{number}")
        near = f"10.99.{number}.1"
        ip("address", "add", near, "peer", self.address, "dev",
           f"wire{number}")
        ip("link", "set", f"wire{number}", "up")

    def make(self):
        check(libc.unshare(CLONE_NEWNET))
        self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inner = tunnel("wire")
        ip("link", "set", "lo", "up")
        ip("address", "add", self.address, "peer", f"10.99.{self.number}.1",
           "dev", "wire")
        ip("link", "set", "wire", "up")
        ip("route", "add", "default", "dev", "wire", "src", self.address)
        return inner

    def run(self, function):
        """Calls it on this host: what it starts stays there."""
        def there():
            check(libc.setns(self.namespace, CLONE_NEWNET))
            return function()
        return in_thread(there)

    # -- the wire, both ways ---------------------------------------------------

    def cut(self):
        """Packets vanish; nobody is told."""
        self.ground.order(self, cut=True)

    def heal(self):
        self.ground.order(self, cut=False, delay_ms=0, loss=0)

    def slow(self, delay_ms=0, loss=0.0):
        """`delay_ms` each way; `loss`: the share of packets that vanish."""
        self.ground.order(self, delay_ms=delay_ms, loss=loss)

    def close(self):
        for descriptor in (self.inner, self.outer, self.namespace):
            os.close(descriptor)


class Ground:
    """Some hosts and the process that is their wires."""

    def __init__(self, hosts, seed):
        self.hosts = [Host(self, number) for number in range(1, hosts + 1)]
        ends = [[host.inner, host.outer] for host in self.hosts]
        self.wire = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("wire.py"), str(seed),
             json.dumps(ends)], stdin=subprocess.PIPE, text=True,
            pass_fds=[end for pair in ends for end in pair])

    def order(self, host, **change):
        change["host"] = self.hosts.index(host)
        self.wire.stdin.write(json.dumps(change) + "\n")
        self.wire.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.stdin.close()
        try:
            status = self.wire.wait(10)
        except subprocess.TimeoutExpired:
            self.wire.kill()
            status = self.wire.wait()
        for host in self.hosts:
            host.close()
        assert status == 0, "the wire broke"
