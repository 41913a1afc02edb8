"""HTTP/1.1 over one connection at a time, and what an answer must look like."""

import http.client
import json
from dataclasses import dataclass


class Refused(Exception):
    """Nothing was sent: no connection."""


class Cut(Exception):
    """Sent, or a part of it, and no answer came."""


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def kind(self):
        return (self.headers.get("content-type") or "").split(";")[0]

    @property
    def code(self):
        """A problem's code."""
        return self.json()["type"].rpartition("/")[2]


def faults(answer):
    """What is wrong with the form of an answer: failures of the service's own, problems without their members."""
    found = []
    if answer.status >= 500 and not (answer.status == 503 and answer.headers.get("retry-after")):
        found.append(f"status {answer.status}")
    if answer.status < 400:
        return found
    if answer.kind != "application/problem+json":
        return [*found, f"status {answer.status} with content-type {answer.kind!r}"]
    problem = answer.json()
    found += [f"a problem without {m}" for m in ("type", "title", "status", "detail") if not problem.get(m)]
    if problem.get("status") != answer.status:
        found.append(f"a problem of status {problem.get('status')} in an answer of {answer.status}")
    return found


class Client:
    """A connection that is opened again when it was closed. `fresh`: a new one for each request."""

    def __init__(self, address, timeout=60, fresh=False):
        self.address, self.timeout, self.fresh = address, timeout, fresh
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        self.open()
        whole = True
        try:
            self.connection.request(method, path, body=body, headers=headers or {})
        except (BrokenPipeError, ConnectionResetError):
            whole = False  # It may have answered before it had read everything.
        except OSError as why:
            self.close()
            raise Cut(why) from why
        try:
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as why:
            self.close()
            raise Cut(why) from why
        if self.fresh or response.will_close or not whole:
            self.close()
        return answer

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body, kind="application/json"):
        return self.request("POST", path, body, {"content-type": kind})

    def open(self):
        if self.connection is not None:
            return
        connection = http.client.HTTPConnection(*self.address, timeout=self.timeout)
        try:
            connection.connect()
        except OSError as why:
            raise Refused(why) from why
        self.connection = connection

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
