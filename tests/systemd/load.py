#!/usr/bin/python3
"""Registrations through the edge, from inside the machine, until told to stop.

    load.py URL CA-FILE THREADS [SECONDS]

Without SECONDS until a line or the end comes on standard input. Prints one line
of JSON: how many requests, which were not answered with tokens, the longest."""

import base64
import json
import select
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request

BODY = json.dumps({"data": json.dumps(
    {"username": "dana", "password": "demo-password"})}).encode()
BASIC = base64.b64encode(b"demo-app:demo-secret-of-demo-app").decode()
ANSWER_SECS = 20


class Load:
    def __init__(self, url, ca_file):
        self.url = url
        self.tls = ssl.create_default_context(cafile=ca_file)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.count = 0
        self.failures = []
        self.longest_secs = 0.0

    def one(self):
        request = urllib.request.Request(self.url, BODY, {
            "Content-Type": "application/json",
            "Authorization": f"Basic {BASIC}"})
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECS,
                                        context=self.tls) as answer:
                if "access_token" in json.load(answer)["oauth_token"]:
                    return None
                return "no access_token"
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.read(200)!r}"
        except OSError as error:
            return repr(error)

    def run(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            failure = self.one()
            took = time.monotonic() - began
            with self.lock:
                self.count += 1
                self.longest_secs = max(self.longest_secs, took)
                if failure is not None:
                    self.failures.append(failure)


def main():
    load = Load(sys.argv[1], sys.argv[2])
    threads = [threading.Thread(target=load.run)
               for _ in range(int(sys.argv[3]))]
    for thread in threads:
        thread.start()
    print("started", flush=True)
    secs = float(sys.argv[4]) if len(sys.argv) > 4 else None
    select.select([sys.stdin], [], [], secs)
    load.stopping.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"count": load.count, "failed": len(load.failures),
                      "examples": load.failures[:5],
                      "longest_secs": load.longest_secs}))


main()
