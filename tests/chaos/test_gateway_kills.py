"""The gateway dies under load and is started again: engines are back at once,
no transaction is spent twice, no token is lost that a client has."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import requests

from harness import tokens
from harness.service import success
from harness.wait import until

KILLS = 5
CALLERS = 6
BACK_SECS = 1.0

# Other load on the machine's two processors, while three engines say hello.
NOISE_SECS = 1.0


class Registrations:
    """Callers who init and complete, again where they got no answer."""

    def __init__(self, service):
        self.service = service
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.transactions = []  # (transaction, successes seen, calls made)
        self.tokens = []
        self.wrong = []
        self.answered = self.calls = 0
        self.threads = [threading.Thread(target=self.work, args=(number,))
                        for number in range(CALLERS)]

    def call(self, what, *arguments):
        """None: no answer, as the gateway has just died."""
        with self.lock:
            self.calls += 1
        try:
            answer = what(*arguments)
        except requests.RequestException:
            return None
        with self.lock:
            self.answered += 1
        return answer

    def work(self, number):
        count = 0
        while not self.ended.is_set():
            count += 1
            self.register(f"user-{number}-{count}")

    def register(self, user):
        begun = self.call(self.service.init, "two")
        if begun is None:
            return
        if begun.status_code != 200:
            self.note_wrong(begun)
            return
        transaction, successes = begun.json()["transaction_id"], 0
        # Once more than answered: the last says that it is spent.
        for _ in range(3):
            answer = self.call(self.service.complete, "two", success(user),
                               transaction)
            if answer is None:
                continue
            if answer.status_code == 200:
                successes += 1
                with self.lock:
                    self.tokens.append(
                        answer.json()["oauth_token"]["access_token"])
            elif answer.status_code >= 500:
                self.note_wrong(answer)
        with self.lock:
            self.transactions.append((transaction, successes))

    def note_wrong(self, answer):
        """503 until an engine is back is honest; nothing else is."""
        if answer.status_code != 503:
            with self.lock:
                self.wrong.append(answer.text)

    def flow(self, more=20):
        target = len(self.tokens) + more
        until(lambda: len(self.tokens) >= target, "registrations", 20)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.flow()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_gateway_killed_under_load(start, choice, tally):
    service = start()
    times = []
    with Registrations(service) as load:
        for _ in range(KILLS):
            load.flow(choice.randrange(5, 40))
            service.gateway.kill()
            service.gateway.start()
            until(service.answers, "the gateway")
            begin = time.monotonic()
            service.wait_engines(3)
            times.append(time.monotonic() - begin)
    assert not load.wrong, load.wrong[:3]
    # Within a second, to the worst of which other load may add its own.
    assert median(times) < BACK_SECS, times
    assert max(times) < BACK_SECS + NOISE_SECS, times
    twice = [t for t, successes in load.transactions if successes > 1]
    assert not twice
    with ThreadPoolExecutor(CALLERS) as pool:
        alive = list(pool.map(
            lambda token: tokens.is_active(service, token), load.tokens))
    assert all(alive), f"{alive.count(False)} of {len(alive)} tokens lost"
    registered = service.registrations("two")
    assert set(registered.values()) == {1}
    tally.note("gateway kill -9", load.calls, load.answered, len(registered),
               f"{KILLS} kills, engines back after {median(times) * 1000:.0f} "
               f"ms (median), {max(times) * 1000:.0f} ms (worst); "
               f"{len(alive)} tokens, all active")
