"""The service under attack: what is expected of its answers, and how it does meanwhile."""

import threading
import time
from collections import Counter

from common.client import Client, Cut, Refused, faults


class Target:
    """A service with a study on its ledger. `limit`: the largest file that it takes, bytes."""

    def __init__(self, service, ledger, study, limit):
        self.service, self.ledger, self.study, self.limit = service, ledger, study, limit
        self.address = service.address
        self.lock = threading.Lock()
        self.findings, self.statuses = Counter(), Counter()

    def find(self, what):
        with self.lock:
            self.findings[what] += 1

    def look(self, name, answer):
        """Notes an answer and what is wrong with its form."""
        with self.lock:
            self.statuses[f"{answer.status} {answer.code}" if answer.kind.endswith("problem+json") else answer.status] += 1
            self.findings.update(f"{name}: {fault}" for fault in faults(answer))

    def expect(self, name, answer, status, code=None):
        """An answer that must be of this status, and of this code where it is a problem."""
        self.look(name, answer)
        if answer.status != status or (code and answer.code != code):
            self.find(f"{name}: {answer.status} instead of {status} {code or ''}: {answer.body[:160]}")
        return answer

    def post(self, path, body, kind="application/json"):
        return self.once("POST", path, body, {"content-type": kind})

    def put(self, sha256, body):
        return self.once("PUT", f"/v1/blobs/{sha256}", body, {"content-type": "application/octet-stream"})

    def once(self, method, path, body, headers):
        client = Client(self.address)
        try:
            return client.request(method, path, body, headers)
        finally:
            client.close()


class Watch:
    """Asks `/readyz` twenty times a second, on a new connection each time, and looks at the memory."""

    def __init__(self, target):
        self.target, self.seconds, self.failed = target, [], Counter()
        self.before = self.most = target.service.memory()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping.set()
        self.thread.join()

    def work(self):
        client = Client(self.target.address, timeout=20, fresh=True)
        while not self.stopping.wait(0.05):
            started = time.monotonic()
            try:
                answer = client.get("/readyz")
                if answer.status != 200:
                    self.failed[f"status {answer.status}"] += 1
            except (Refused, Cut) as why:
                self.failed[repr(why)] += 1
            self.seconds.append(time.monotonic() - started)
            self.most = max(self.most, self.target.service.memory())

    def milliseconds(self, share):
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def tell(self):
        p50, p99, most = (f"{self.milliseconds(share):.1f} ms" for share in (0.5, 0.99, 1))
        print(f"/readyz, {len(self.seconds)} times: p50 {p50}, p99 {p99}, max {most}")
        for why, times in self.failed.items():
            self.target.find(f"/readyz failed {times} times: {why}")
        if self.milliseconds(0.99) > 1000:
            self.target.find("the p99 of /readyz is above a second")
