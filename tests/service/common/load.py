"""Submitters, and a record of what was acknowledged."""

import threading
from collections import Counter, deque

from .client import Client, Cut, Refused, faults
from .statements import Key, member, sha256


class Pool:
    """Signed statements that wait. One that got no receipt comes back, to be sent again."""

    def __init__(self, steward, twins=False):
        self.steward, self.twins = steward, twins
        self.waiting, self.made = deque(), 0

    def fill(self, count):
        while len(self.waiting) < count:
            self.made += 1
            statement = member(self.steward, f"member {self.made}", Key())
            self.waiting.append(statement)
            if self.twins and self.made % 10 == 0:
                self.waiting.append(statement)

    def take(self):
        try:
            return self.waiting.popleft()
        except IndexError:
            return None

    def back(self, statement):
        self.waiting.appendleft(statement)


class Record:
    """Acknowledged statements: digest to index, and to bytes for the latest."""

    def __init__(self):
        self.lock = threading.Lock()
        self.index, self.latest = {}, {}
        self.outcomes, self.faults = Counter(), Counter()

    def receipt(self, statement, receipt):
        digest = sha256(statement)
        with self.lock:
            if self.index.setdefault(digest, receipt["index"]) != receipt["index"]:
                self.faults[f"two indices of one statement: {receipt['index']} and {self.index[digest]}"] += 1
            self.latest[digest] = statement
            self.outcomes["duplicate" if receipt["duplicate"] else "recorded"] += 1

    def outcome(self, name, found=()):
        with self.lock:
            self.outcomes[name] += 1
            self.faults.update(found)


class Submitters:
    """Threads that post statements until they are stopped or nobody listens."""

    def __init__(self, address, pool, record, *, threads=12, fresh=False, wait=False):
        self.address, self.pool, self.record, self.fresh = address, pool, record, fresh
        self.path = "/v1/members" + ("?wait=published" if wait else "")
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.record.outcome("stuck", ["a submitter still waits after 60 s"])

    def work(self):
        client = Client(self.address, fresh=self.fresh)
        while not self.stopping.is_set() and (statement := self.pool.take()) is not None:
            try:
                self.post(client, statement)
            except Refused:
                self.pool.back(statement)
                self.record.outcome("connection refused")
                break
            except Cut:
                self.pool.back(statement)
                self.record.outcome("connection cut")
        client.close()

    def post(self, client, statement):
        answer = client.post(self.path, statement)
        found = faults(answer)
        if answer.status in (200, 201):
            self.record.receipt(statement, answer.json())
        elif answer.status == 503 and not found:
            self.pool.back(statement)
            self.record.outcome(f"503 {answer.code}")
        else:
            self.record.outcome(f"status {answer.status}", found or [f"{answer.status}: {answer.body[:200]}"])
