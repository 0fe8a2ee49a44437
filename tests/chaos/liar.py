"""An engine that lies: speaks the link's protocol by hand over the local
socket, takes tickets, and does with the jobs what it is told to."""

import json
import os
import random
import select
import socket
import struct
import threading

import msgpack

GREETING = b"\0SP\0\0\x30\0\0"
ONE_MESSAGE = 1
REPLY_TO = 0x80000000
HELLO, WELCOME, TICKET, JOB, RESULT, HEARTBEAT, OUTCOME = 1, 3, 5, 6, 7, 10, 47

# One job at a time: about the only one that it holds it may say anything.
TICKETS = 1

HEARTBEAT_SECS = 0.2
MESSAGE_MAX = 1 << 20


def result_of(job, attempt, user, **more):
    outcome = {"t": OUTCOME, "code": 0, "status": 2000, "payload": user,
               "user": '{"id": "%s"}' % user}
    return {"t": RESULT, "job": job, "attempt": attempt, "code": 0,
            "outcome": msgpack.packb(outcome), **more}


class Liar:
    """`lie(liar, job)` is called for each job it gets."""

    def __init__(self, path, lie, seed):
        self.path = path
        self.lie = lie
        self.random = random.Random(seed)
        self.jobs = 0
        self.connections = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.peer = None
        self.number = 0
        self.buffer = b""
        self.later = []      # what to say when all said before is answered
        self.said = set()    # numbers of questions about jobs

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def work(self):
        while not self.ended.is_set():
            try:
                self.connect()
                self.serve()
            except OSError:
                self.ended.wait(0.1)  # as an engine, it dials again
            finally:
                self.peer.close()

    def connect(self):
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.settimeout(5)
        self.peer.connect(self.path)
        self.peer.sendall(GREETING)
        self.buffer = b""
        self.take(len(GREETING))
        self.connections += 1
        self.later, self.said = [], set()
        self.ask({"t": HELLO, "protocol_min": 1, "protocol_max": 1,
                  "engine": "liar", "boot_id": os.urandom(16),
                  "slots": TICKETS})

    def take(self, count):
        while len(self.buffer) < count:
            part = self.peer.recv(65536)
            if not part:
                raise ConnectionError("the gateway hung up")
            self.buffer += part
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def send(self, body):
        self.number += 1
        body = struct.pack(">I", REPLY_TO | self.number) + body
        self.peer.sendall(struct.pack(">BQ", ONE_MESSAGE, len(body)) + body)

    def ask(self, message):
        self.send(msgpack.packb(message))

    def serve(self):
        while not self.ended.is_set():
            readable, _, _ = select.select([self.peer], [], [],
                                           HEARTBEAT_SECS)
            if not readable and not self.buffer:
                self.ask({"t": HEARTBEAT, "running": 0})
                continue
            _, length = struct.unpack(">BQ", self.take(9))
            body = self.take(length)
            self.hear(int.from_bytes(body[:4], "big") & ~REPLY_TO,
                      msgpack.unpackb(body[4:]))

    def say(self, message):
        """About a job. Only in turn, as the gateway reads several at once."""
        self.later.append(message)

    def hear(self, number, message):
        if number in self.said:
            self.said.remove(number)
        if message["t"] == WELCOME:
            self.later.append({"t": TICKET})
        elif message["t"] == JOB:
            self.jobs += 1
            self.lie(self, message)
            self.later.append({"t": TICKET})
        if self.later and not self.said:
            message = self.later.pop(0)
            self.ask(message)
            if message["t"] != TICKET:
                self.said.add(self.number)


def wrong_ids(liar, job):
    """Results of attempts and jobs that nobody gave it."""
    liar.say(result_of(job["job"], job["attempt"] + 1, "liar"))
    liar.say(result_of(job["job"] + 1000000, 1, "liar"))


def others_jobs(liar, job):
    """Every job near its own is another's: all get a false answer."""
    for distance in range(1, 8):
        for sign in (-1, 1):
            liar.say(result_of(job["job"] + sign * distance, 1, "liar"))


def twice(liar, job):
    """The truth, then something else."""
    user = json.loads(job["data"])["id"]
    liar.say(result_of(job["job"], job["attempt"], user))
    liar.say(result_of(job["job"], job["attempt"], "liar"))


def oversize(liar, _job):
    liar.send(b"\x81\xa1t\x07" + b"x" * MESSAGE_MAX)


def malformed(liar, _job):
    liar.send(liar.random.randbytes(liar.random.randrange(1, 200)))


def silent(_liar, _job):
    """Takes the job and says nothing of it, but is alive."""


LIES = [wrong_ids, others_jobs, twice, oversize, malformed, silent]
