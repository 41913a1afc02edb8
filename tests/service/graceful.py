#!/usr/bin/env python3
"""SIGTERM under load: every statement gets a receipt and is in the log, or is turned away; the service ends in time.

    graceful.py [--rounds N] [--postgres URL]

The last round has clients that hold on: silent connections, an upload that dribbles, event streams."""

import argparse
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from common.packages import need

need("cryptography")

from common.audit import Heads, check_entries, check_log
from common.load import Pool, Record, Submitters
from common.service import Ledger, Service

PATIENCE = 35
READY = 4_000


class Holders:
    """Clients that do not let go."""

    def __init__(self, address):
        self.address, self.stopping = address, threading.Event()
        self.sockets = [socket.create_connection(address) for _ in range(8)]
        for stream in self.sockets[:3]:
            stream.sendall(b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n")
        self.thread = threading.Thread(target=self.dribble, args=(self.sockets[3],), daemon=True)
        self.thread.start()

    def dribble(self, upload):
        upload.sendall(b"PUT /v1/blobs/" + b"0" * 64 + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n")
        try:
            while not self.stopping.wait(1):
                upload.sendall(b"x")
        except OSError:
            pass  # It was closed, as it should be.

    def close(self):
        self.stopping.set()
        self.thread.join()
        for held in self.sockets:
            held.close()


class Run:
    """A ledger that is served, ended, looked at, and served again."""

    def __init__(self, folder, server):
        self.ledger = Ledger(folder, server)
        self.pool, self.record, self.heads = Pool(self.ledger.steward), Record(), Heads()
        self.findings = []

    def round(self, number, hold):
        fresh, wait = number % 2 == 1, number % 3 == 2
        service = Service(self.ledger).ready()
        self.pool.fill(READY)
        holders = Holders(service.address) if hold else None
        submitters = Submitters(service.address, self.pool, self.record, threads=16, fresh=fresh, wait=wait).start()
        time.sleep(random.uniform(0.5, 1.5))
        before = self.record.outcomes.copy()
        status, seconds = service.terminate()
        submitters.join()
        if holders:
            holders.close()
        kind = ["kept connections", "new connections"][fresh] + ", wait=published" * wait + ", holders" * hold
        print(f"round {number} ({kind}): {seconds:.2f} s, after the signal {dict(self.record.outcomes - before)}")
        if status != 0 or seconds > PATIENCE:
            self.findings.append(f"round {number}: it ended with status {status} after {seconds:.1f} s")
        self.look()

    def look(self):
        """Everything that was acknowledged is there, and after a restart too."""
        report = self.ledger.fsck()
        self.findings += [f"fsck: {finding}" for finding in report["findings"]]
        if report["entries"] != report["published"]:
            self.findings.append(f"it left {report['entries'] - report['published']} entries unpublished")
        with Service(self.ledger) as service:
            service.ready()
            latest = {digest: self.record.index[digest] for digest in self.record.latest}
            self.record.latest = {}
            self.findings += check_entries(service.address, latest)
            self.findings += check_log(service, self.record.index, self.heads)[1]

    def tell(self):
        self.findings += [*self.heads.faults, *self.record.faults]
        # Whoever was cut off sends again in the next round: nothing of it may have been recorded.
        if lost := self.record.outcomes["duplicate"]:
            self.findings.append(f"{lost} statements were recorded, and their receipts never sent")
        print(f"{len(self.record.index):,} acknowledged; {dict(self.record.outcomes)}")
        for finding in self.findings[:40]:
            print(f"FOUND: {finding}")
        print(f"{len(self.findings)} findings")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--postgres", metavar="URL")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="galen-graceful-"))
    run = Run(folder, chosen.postgres)
    for number in range(chosen.rounds):
        run.round(number, hold=number == chosen.rounds - 1)
    run.tell()
    if run.findings:
        sys.exit(f"kept for a look: {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
