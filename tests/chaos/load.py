"""A steady load, from a process of its own so that what a test does meanwhile
is not in its times. Open: a request starts when it is due, whether or not the
ones before are answered; its time counts from then.

Every request has a number, which the script gives back as the user: an answer
to another request is found."""

import asyncio
import base64
import json
import multiprocessing
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from harness.realm import SECRET
from harness.wait import until

# Longer than any request may take: one that is not answered by then hangs.
HUNG_SECS = 12

# The gateway closes idle connections after 5 s; ours are not used then.
IDLE_SECS = 3

HUNG, BROKEN, WRONG = "hung", "broken", "wrong"


@dataclass
class Answer:
    number: int
    at: float      # monotonic, when it was due
    secs: float
    outcome: object  # HTTP status, or one of the words above
    correlation_id: str = ""


@dataclass
class Order:
    url: str
    idp: str = "mirror"
    rate: float = 100      # requests a second; 0: as fast as answers come
    connections: int = 32  # at most
    client: str = "app"
    source: str = ""       # X-Forwarded-For
    prefix: str = "u"
    data: dict = field(default_factory=dict)


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.used_at = time.monotonic()

    def is_fit(self):
        return (not self.reader.at_eof() and
                time.monotonic() - self.used_at < IDLE_SECS)

    async def call(self, request):
        """Status, headers, body."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines)}
        body = await self.reader.readexactly(
            int(headers.get("content-length", 0)))
        self.used_at = time.monotonic()
        return int(first.split()[1]), headers, body


class Client:
    def __init__(self, order, answers, stop, answered):
        self.order, self.answers = order, answers
        self.stop, self.answered = stop, answered
        self.pool = []
        self.places = None

    def request(self, number):
        order = self.order
        body = json.dumps({"data": json.dumps(
            {**order.data, "id": f"{order.prefix}{number}"})}).encode()
        basic = base64.b64encode(f"{order.client}:{SECRET}".encode()).decode()
        source = f"X-Forwarded-For: {order.source}\r\n" if order.source else ""
        return (f"POST /oauth/custom-registration/{order.idp}/complete "
                f"HTTP/1.1\r\nHost: {urlsplit(order.url).netloc}\r\n"
                f"Authorization: Basic {basic}\r\n{source}"
                "Content-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    async def connection(self):
        while self.pool:
            connection = self.pool.pop()
            if connection.is_fit():
                return connection
            connection.writer.close()
        url = urlsplit(self.order.url)
        return Connection(*await asyncio.open_connection(
            url.hostname, url.port))

    async def exchange(self, number):
        connection = await self.connection()
        try:
            status, headers, body = await connection.call(self.request(number))
        except BaseException:
            connection.writer.close()
            raise
        if headers.get("connection") == "close":
            connection.writer.close()
        else:
            self.pool.append(connection)
        if status == 200 and (json.loads(body)["data"] !=
                              f"{self.order.prefix}{number}"):
            status = WRONG
        return status, headers.get("x-correlation-id", "")

    async def one(self, number, due):
        correlation_id = ""
        try:
            async with self.places:
                outcome, correlation_id = await asyncio.wait_for(
                    self.exchange(number), HUNG_SECS)
        except asyncio.TimeoutError:
            outcome = HUNG
        except (OSError, EOFError):
            outcome = BROKEN
        self.answers.append(Answer(number, due, time.monotonic() - due,
                                   outcome, correlation_id))
        if outcome == 200:
            self.answered.value += 1

    async def paced(self):
        number, begin, tasks = 0, time.monotonic(), set()
        while not self.stop.is_set():
            due = begin + number / self.order.rate
            await asyncio.sleep(max(0, due - time.monotonic()))
            task = asyncio.create_task(self.one(number, due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
        if tasks:
            await asyncio.wait(tasks)

    async def closed(self):
        async def caller(first):
            number = first
            while not self.stop.is_set():
                await self.one(number, time.monotonic())
                number += self.order.connections
        await asyncio.gather(*(caller(first) for first in
                               range(self.order.connections)))

    async def run(self):
        self.places = asyncio.Semaphore(self.order.connections)
        await (self.paced() if self.order.rate else self.closed())
        for connection in self.pool:
            connection.writer.close()


def main(order, pipe, stop, answered):
    answers = []
    asyncio.run(Client(order, answers, stop, answered).run())
    pipe.send(answers)


class Load:
    """`with Load(url, rate=..) as load`; load.answers afterwards."""

    def __init__(self, url, **order):
        context = multiprocessing.get_context("spawn")
        self.stop = context.Event()
        self.answered = context.Value("q", 0)
        self.pipe, theirs = context.Pipe()
        self.order = Order(url, **order)
        self.process = context.Process(target=main, args=(
            self.order, theirs, self.stop, self.answered))
        self.answers = []

    def flow(self, more=5, secs=15):
        target = self.answered.value + more
        until(lambda: self.answered.value >= target, "the load to flow", secs)

    def __enter__(self):
        self.process.start()
        try:
            self.flow()
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        self.stop.set()
        if self.pipe.poll(3 * HUNG_SECS):
            self.answers = self.pipe.recv()
        self.process.join(5)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()

    def failures(self):
        return [a for a in self.answers if a.outcome != 200]

    def successes(self):
        return [a for a in self.answers if a.outcome == 200]

    def p99_secs(self, since=0.0, before=float("inf")):
        times = sorted(a.secs for a in self.answers if since <= a.at < before)
        return times[len(times) * 99 // 100]

    def goodput(self):
        """Successes a second."""
        begin = min(a.at for a in self.answers)
        end = max(a.at + a.secs for a in self.answers)
        return len(self.successes()) / (end - begin)

    def longest_gap_secs(self):
        """Between two successful answers."""
        ends = sorted(a.at + a.secs for a in self.successes())
        return max((b - a for a, b in zip(ends, ends[1:])), default=0.0)
