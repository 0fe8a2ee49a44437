"""A customer's back-end for scripts to call: HTTPS and HTTP, well-behaved or
not as the path asks, with certificates of a CA made for the test."""

import gzip
import json
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ENDLESS_BLOCK = b"x" * 65536


def make_certificates(directory):
    """ca.pem; good.pem for localhost; wrong.pem for another name;
    client.pem; each with its key, by the CA."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True,
                       capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=test CA", "-days", "30")
    for name, host in (("good", "DNS:localhost,DNS:partner.test"),
                       ("wrong", "DNS:elsewhere.test"),
                       ("client", "DNS:client.test")):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        (directory / f"{name}.ext").write_text(f"subjectAltName={host}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem",
                "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        pem = ((directory / f"{name}.crt").read_text()
               + (directory / f"{name}.key").read_text())
        (directory / f"{name}.pem").write_text(pem)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        partner = self.server.partner
        peer = self.client_address
        partner.requests.append(
            {"method": self.command, "path": self.path, "peer": peer,
             "headers": dict(self.headers.items()),
             "body": body.decode("latin-1")})
        action, _, rest = self.path.lstrip("/").partition("/")
        getattr(self, "do_" + action.partition("?")[0], self.do_missing)(
            rest, body)

    do_GET = do_POST = do_PUT = do_PATCH = handle_any
    do_DELETE = do_HEAD = do_OPTIONS = handle_any

    def do_missing(self, _rest, _body):
        self.answer(404, b"no such thing")

    def do_echo(self, _rest, body):
        certificate = None
        if isinstance(self.connection, ssl.SSLSocket):
            certificate = self.connection.getpeercert() or None
        self.answer(200, json.dumps({
            "method": self.command, "body": body.decode("latin-1"),
            "headers": {k.lower(): v for k, v in self.headers.items()},
            "client": certificate and certificate["subject"][0][0][1],
            "port": self.client_address[1]}).encode(),
            Content_Type="application/json", X_Many="one")

    def do_status(self, rest, _body):
        self.answer(int(rest), b"" if rest in ("204", "304") else b"as you wish")

    def do_to(self, rest, _body):
        """/to/STATUS/LOCATION"""
        status, _, location = rest.partition("/")
        self.answer(int(status), Location=location)

    def do_hops(self, rest, _body):
        count = int(rest)
        if count == 0:
            self.answer(200, b"arrived")
        else:
            self.answer(302, Location=f"/hops/{count - 1}")

    def do_gzip(self, _rest, _body):
        self.answer(200, gzip.compress(b"unpacked"), Content_Encoding="gzip")

    def do_bomb(self, _rest, _body):
        self.answer(200, gzip.compress(b"\0" * (64 << 20)),
                    Content_Encoding="gzip")

    def do_large(self, rest, _body):
        self.answer(200, b"y" * int(rest))

    def do_endless(self, _rest, _body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self.pour(ENDLESS_BLOCK)

    def do_heads(self, _rest, _body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self.pour(b"X-More: " + b"z" * 500 + b"\r\n")

    def do_interim(self, _rest, _body):
        self.pour(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")

    def pour(self, block):
        try:
            while not self.server.partner.closing.is_set():
                self.wfile.write(block)
        except OSError:
            pass
        self.close_connection = True

    def do_slowhead(self, _rest, _body):
        self.server.partner.closing.wait(30)
        self.close_connection = True

    def do_slowbody(self, _rest, _body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self.server.partner.closing.wait(0.1):
            try:
                self.wfile.write(b".")
            except OSError:
                break
        self.close_connection = True

    def do_held(self, _rest, _body):
        """Answers when the test says so."""
        self.server.partner.release.wait(30)
        self.answer(200, b"released")

    def do_cut(self, _rest, _body):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut")
        self.close_connection = True

    def do_nonsense(self, _rest, _body):
        self.wfile.write(b"220 mail.test ESMTP\r\n\r\n")
        self.close_connection = True

    def do_cookies(self, _rest, _body):
        self.send_response(200)
        for cookie in ("a=1", "b=2"):
            self.send_header("Set-Cookie", cookie)
        self.send_header("X-Twice", "1")
        self.send_header("X-Twice", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that went away is what many of the tests are about."""


class Partner:
    """One server; `requests` is what reached it."""

    def __init__(self, address="127.0.0.1", context=None):
        self.requests = []
        self.closing = threading.Event()
        self.release = threading.Event()
        self.server = Server((address, 0), Handler)
        self.server.partner = self
        self.port = self.server.server_address[1]
        if context is not None:
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True,
                do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.closing.set()
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


def tls_context(directory, name, client_ca=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / f"{name}.pem")
    if client_ca:
        context.load_verify_locations(directory / "ca.pem")
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def closed_port():
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
