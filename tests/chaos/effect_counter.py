"""What scripts call: counts what was asked for, a path at a time."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ground import GATEWAY_ADDRESS

PORT = 8000  # its namespace is ours


class EffectCounter:
    def __init__(self, secs=0.0):
        """`secs`: how long each answer takes."""
        self.counts = Counter()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        counter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with counter.lock:
                    counter.counts[self.path] += 1
                if secs:
                    counter.closing.wait(secs)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                """Engines that die leave their connections."""

        self.url = f"http://{GATEWAY_ADDRESS}:{PORT}/"
        self.server = Server((GATEWAY_ADDRESS, PORT), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05})

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
