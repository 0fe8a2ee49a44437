"""Bytes as given on a socket: what an HTTP library would never send."""

import json
import socket

READ_SECS = 30


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw = raw
        self.status = int(lines[0].split()[1]) if raw else None
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), value.strip())

    def json(self):
        return json.loads(self.body)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=READ_SECS)


def read_all(connection):
    """Until the peer closes."""
    chunks = []
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


def exchange(port, request):
    """Sends, half-closes nothing, reads to the close of the peer."""
    with connect(port) as connection:
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return Answer(read_all(connection))


def read_one(connection):
    """One answer with a Content-Length, from a connection kept open."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return Answer(data)
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = Answer(head + b"\r\n\r\n").headers.get("content-length", "0")
    while len(body) < int(length):
        chunk = connection.recv(65536)
        if not chunk:
            break
        body += chunk
    return Answer(head + b"\r\n\r\n" + body)
