#!/usr/bin/python3
"""Clients that are slow on purpose, in a process of their own so that they do
not slow down whoever measures.

    slow_clients.py PORT CA-FILE COUNT idle|head|body

Opens COUNT connections from several addresses, then sends each a byte now and
then (idle: none). Prints "open N" once all are there; ends with its standard
input, printing "left N", the connections that nobody had closed."""

import os
import select
import socket
import ssl
import sys
import threading
import time

# No more than the edge takes from one address.
A_SOURCE = 250
OPENERS = 4
DRIP_SECS = 1.0

HEAD = b"POST /oauth/custom-registration/mirror/complete HTTP/1.1\r\n" \
    b"Host: localhost\r\nContent-Type: application/json\r\n"
START = {"idle": b"", "head": HEAD + b"X-Slow: ",
         "body": HEAD + b"Content-Length: 100000\r\n\r\n"}


class SlowClients:
    def __init__(self, port, ca_file, kind):
        self.port = port
        self.kind = kind
        self.tls = ssl.create_default_context(cafile=ca_file)
        self.lock = threading.Lock()
        self.connections = []

    def open_some(self, numbers):
        for number in numbers:
            source = f"127.0.0.{2 + number // A_SOURCE}"
            plain = socket.create_connection(("127.0.0.1", self.port), 30,
                                             (source, 0))
            connection = self.tls.wrap_socket(plain,
                                              server_hostname="localhost")
            connection.sendall(START[self.kind])
            connection.setblocking(False)
            with self.lock:
                self.connections.append(connection)

    def open_all(self, count):
        threads = [threading.Thread(target=self.open_some,
                                    args=(range(n, count, OPENERS),))
                   for n in range(OPENERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def lives(self, connection):
        """Sends a byte, unless it is an idle one, and listens for the end."""
        try:
            if self.kind != "idle":
                connection.send(b"a")
            while connection.recv(4096):
                pass
            return False
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False

    def drip(self):
        self.connections = [one for one in self.connections
                            if self.lives(one)]


def main():
    clients = SlowClients(int(sys.argv[1]), sys.argv[2], sys.argv[4])
    clients.open_all(int(sys.argv[3]))
    clients.drip()
    print("open", len(clients.connections), flush=True)
    next_drip = time.monotonic() + DRIP_SECS
    while not select.select([sys.stdin], [], [],
                            max(0, next_drip - time.monotonic()))[0]:
        next_drip = time.monotonic() + DRIP_SECS
        clients.drip()
    print("left", len(clients.connections), flush=True)
    os._exit(0)  # closing a thousand connections one by one takes a while


if __name__ == "__main__":
    main()
