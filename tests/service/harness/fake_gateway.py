"""A gateway's admin listener as the `postern` command sees it, which answers
what a test tells it to."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

BASE = "/api/v1/configuration"


class FakeGateway:
    """`answers` maps "METHOD /path below BASE" to (status, document), bytes
    or a function of the request that returns either."""

    def __init__(self, tls=None):
        """`tls`: a server's SSLContext; the name is then localhost."""
        self.answers = {"GET /status": (200, {"version": "0", "engines": 1})}
        self.requests = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                fake.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        port = self.server.server_port
        self.url = f"http://127.0.0.1:{port}"
        if tls is not None:
            self.url = f"https://localhost:{port}"
            self.server.socket = tls.wrap_socket(
                self.server.socket, server_side=True,
                do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        url = urlsplit(handler.path)
        request = {
            "method": handler.command, "path": url.path,
            "query": {k: v[0] for k, v in parse_qs(url.query).items()},
            "headers": dict(handler.headers.items()),
            "credentials": credentials(handler.headers),
            "body": handler.rfile.read(length)}
        self.requests.append(request)
        answer = self.answers.get(
            f"{handler.command} {url.path.removeprefix(BASE)}")
        if callable(answer):
            answer = answer(request)
        if answer is None:
            answer = (404, {"code": "not_found",
                            "message": "There is nothing at this path."})
        self.write(handler, answer)

    @staticmethod
    def write(handler, answer):
        """(status, document[, headers]), or bytes of a whole answer."""
        try:
            if isinstance(answer, bytes):
                handler.wfile.write(answer)
                handler.close_connection = True
                return
            status, document, *headers = answer
            body = document if isinstance(document, bytes) else (
                json.dumps(document, ensure_ascii=False).encode())
            if status == 204:
                body = b""
            handler.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                handler.send_header(name, value)
            if not headers or "Content-Type" not in headers[0]:
                handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the command had enough of it

    def json_of(self, index=-1):
        return json.loads(self.requests[index]["body"])


def credentials(headers):
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if kind != "Basic":
        return None
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return unquote(name), unquote(secret)
