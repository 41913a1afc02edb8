"""An S3 server (moto, from PyPI) behind a proxy that is slow, fails, and loses acknowledgements."""

import contextlib
import http.client
import os
import random
import secrets
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .packages import environment

# How often, in a hundred requests, each fault comes while there are faults.
FAULTS = {"slow": 3, "refused": 3, "done but refused": 2, "cut": 2, "done but cut": 2, "done late": 2}

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}

CONDITIONS = ("if-match", "if-none-match")


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def server():
    """A moto server: its process and port."""
    programs = environment(["moto[s3,server]"])
    port = free_port()
    log = tempfile.TemporaryFile()
    run = [programs / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(run, stdout=log, stderr=log)
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process, port
        time.sleep(0.1)
    process.kill()
    raise RuntimeError("moto did not start")


class Buckets:
    """Buckets, and what is wrong with them: `faulty` for chance faults, `away`, and whether conditions are overlooked."""

    def __init__(self):
        self.process, self.port = server()
        self.faulty = self.away = self.overlooks = False
        self.counts = Counter()
        buckets = self

        class Proxy(Handler):
            owner = buckets

        self.proxy = Listener(("127.0.0.1", 0), Proxy)
        threading.Thread(target=self.proxy.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{self.proxy.server_address[1]}"
        os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL=endpoint)

    def new(self):
        """A new bucket's address."""
        name = f"galen-{secrets.token_hex(6)}"
        self.send("PUT", f"/{name}")
        return f"s3://{name}/logs/test"

    def send(self, method, path, body=None, headers=None):
        """A request past the proxy; status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        # moto takes any signature, but wants one.
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
        connection.request(method, path, body=body, headers={**signed, **(headers or {})})
        answer = connection.getresponse()
        found = answer.status, answer.headers, answer.read()
        connection.close()
        return found

    def object(self, url, name):
        """An object below an address, or none."""
        status, _, body = self.send("GET", f"/{url.removeprefix('s3://')}/{name}")
        return body if status == 200 else None

    @contextlib.contextmanager
    def calm(self):
        """No chance faults meanwhile."""
        before, self.faulty = self.faulty, False
        try:
            yield
        finally:
            self.faulty = before

    def stop(self):
        self.proxy.shutdown()
        self.process.kill()
        self.process.wait()


class Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that was killed hangs up."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def fault(self):
        if self.owner.away:
            return "refused"
        if not self.owner.faulty:
            return None
        drawn = random.uniform(0, 100)
        for fault, percent in FAULTS.items():
            if drawn < percent:
                return fault
            drawn -= percent
        return None

    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            # Its sender was killed in the middle of it: no store keeps what it did not get whole.
            return self.cut()
        # As it is now: a late one is sent when the next request has come on this connection.
        request = (self.command, self.path, body, self.passed_on())
        fault = self.fault()
        self.owner.counts[fault or "requests without a fault"] += 1
        if fault == "slow":
            time.sleep(random.uniform(0.1, 1.0))
        elif fault == "done late":
            threading.Timer(random.uniform(0.05, 2.0), self.owner.send, request).start()
        if fault in ("refused", "done late"):
            return self.refuse()
        if fault == "cut":
            return self.cut()
        status, headers, answer = self.owner.send(*request)
        if fault == "done but refused":
            return self.refuse()
        if fault == "done but cut":
            return self.cut()
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = headers.get("content-length") if self.command == "HEAD" else len(answer)
        self.send_header("Content-Length", str(length or 0))
        self.end_headers()
        self.wfile.write(answer)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def passed_on(self):
        """The headers that the store gets."""
        left_out = ("connection", "content-length", *(CONDITIONS if self.owner.overlooks else ()))
        return {n: v for n, v in self.headers.items() if n.lower() not in left_out}

    def refuse(self):
        answer = b"<Error><Code>ServiceUnavailable</Code><Message>Reduce your request rate</Message></Error>"
        self.send_response_only(503)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def cut(self):
        self.close_connection = True
