"""Something that has a gateway's certificate and no engine's key: SP's request
and reply over TLS, by hand."""

import os
import socket
import ssl
import struct
import threading

import msgpack

GREETING = b"\0SP\0\0\x30\0\0"
OUR_GREETING = b"\0SP\0\0\x31\0\0"
REQUEST_ID_BYTES = 4
HELLO, WELCOME, CHALLENGE = 1, 3, 39


def welcome():
    return {"t": WELCOME, "protocol": 1, "boot_id": os.urandom(16),
            "heartbeat_ms": 250, "ack_after_ms": 100}


def challenge():
    return {"t": CHALLENGE, "nonce": os.urandom(32), "proof": os.urandom(32)}


class Impostor:
    """Answers every hello with what `answer` returns; `heard` has what engines
    said."""

    def __init__(self, pki, server_name, answer):
        self.answer = answer
        self.heard = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(pki.file(f"gateway-{server_name}.crt"),
                                     pki.file(f"gateway-{server_name}.key"))
        self.context.load_verify_locations(pki.file("ca.crt"))
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tls+tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,),
                             daemon=True).start()

    def serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as peer:
                peer.sendall(OUR_GREETING)
                assert self.read(peer, len(GREETING)) == GREETING
                while True:
                    self.serve_one(peer)
        except (OSError, EOFError):
            pass

    @staticmethod
    def read(peer, count):
        data = b""
        while len(data) < count:
            part = peer.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def serve_one(self, peer):
        length, = struct.unpack(">Q", self.read(peer, 8))
        body = self.read(peer, length)
        message = msgpack.unpackb(body[REQUEST_ID_BYTES:])
        self.heard.append(message)
        if message["t"] != HELLO:
            return
        body = body[:REQUEST_ID_BYTES] + msgpack.packb(self.answer())
        peer.sendall(struct.pack(">Q", len(body)) + body)

    def close(self):
        self.listener.close()
