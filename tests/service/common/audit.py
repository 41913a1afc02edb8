"""Whether a served log is what was acknowledged: every statement at its index, once, under checkpoints of one tree."""

import threading
from concurrent.futures import ThreadPoolExecutor

from .client import Client, Cut, Refused
from .statements import sha256
from .tree import Tree, read_entries


class Heads:
    """Checkpoints that were seen, over all services of one log."""

    def __init__(self):
        self.lock = threading.Lock()
        self.roots, self.largest, self.faults = {}, 0, []
        self.polls = self.behind = self.most_behind = 0

    def see(self, head):
        with self.lock:
            self.polls += 1
            if self.roots.setdefault(head.size, head.root) != head.root:
                self.faults.append(f"two roots of size {head.size}")
            if head.size < self.largest:
                self.behind += 1
                self.most_behind = max(self.most_behind, self.largest - head.size)
            self.largest = max(self.largest, head.size)

    def wrong(self, why):
        with self.lock:
            self.faults.append(why)


class Watch:
    """Polls a service's checkpoint; it may never go back, and begins no earlier than `least`."""

    def __init__(self, service, heads, least=0):
        self.service, self.heads, self.least = service, heads, least
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        self.stopping.set()
        self.thread.join(30)

    def work(self):
        client = Client(self.service.address)
        while not self.stopping.wait(0.02):
            try:
                self.look(client.get("/checkpoint"))
            except (Refused, Cut):
                break
            except ValueError as why:
                self.heads.wrong(f"a checkpoint does not open: {why}")
        client.close()

    def look(self, answer):
        if answer.status != 200:
            if self.least:
                self.heads.wrong(f"/checkpoint answers {answer.status} after size {self.least}")
            return
        head = self.service.verifier.open(answer.body)
        if head.size < self.least:
            self.heads.wrong(f"the checkpoint went back from {self.least} to {head.size}")
        self.least = head.size
        self.heads.see(head)


def check_entries(address, index, threads=8):
    """What is wrong with the entries that were acknowledged: digest to index."""
    def look(share):
        client, found = Client(address), []
        for digest, at in share:
            answer = client.get(f"/v1/entries/{at}")
            if answer.status != 200:
                found.append(f"entry {at}: status {answer.status}")
            elif sha256(answer.json()["envelope"].encode()) != digest:
                found.append(f"entry {at} is another than the one acknowledged")
        client.close()
        return found
    everything = list(index.items())
    with ThreadPoolExecutor(threads) as pool:
        shares = [everything[i::threads] for i in range(threads)]
        return [fault for found in pool.map(look, shares) for fault in found]


def check_again(address, statements, index):
    """What is wrong with the answers to statements that were recorded before."""
    client, found = Client(address), []
    for digest, statement in statements:
        answer = client.post("/v1/members", statement)
        receipt = answer.json()
        if answer.status != 200 or not receipt["duplicate"] or receipt["index"] != index[digest]:
            found.append(f"sent again, entry {index[digest]} is answered with {answer.status}: {receipt}")
    client.close()
    return found


def check_log(service, index, heads):
    """Reads the whole published log: its size, and what is wrong with it."""
    client = Client(service.address)
    head = service.verifier.open(client.get("/checkpoint").body)
    heads.see(head)
    tree, found, seen = Tree(), [], {}
    for entry in read_entries(client, head.size):
        digest = sha256(entry)
        if digest in seen:
            found.append(f"entries {seen[digest]} and {tree.size} are the same")
        seen[digest] = tree.size
        tree.push(entry)
        if heads.roots.get(tree.size, tree.root()) != tree.root():
            found.append(f"the entries do not have the root that was signed at size {tree.size}")
    client.close()
    lost = [i for digest, i in index.items() if seen.get(digest) != i]
    if lost:
        found.append(f"{len(lost)} acknowledged entries are not in the log, the first at {min(lost)}")
    beyond = [size for size in heads.roots if size > head.size]
    found += [f"a checkpoint of size {size} was seen, the log has {head.size}" for size in beyond]
    return head.size, found
