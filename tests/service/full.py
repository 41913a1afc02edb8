#!/usr/bin/env python3
"""A disk without room: writes are refused and /readyz says so, reads go on, and all is well once there is room again.

    full.py [--rounds N]

The room ends by a limit on the size of the service's files, which is taken back while the service runs; and, where file
systems may be mounted, on a small one that is filled and emptied."""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.packages import need

need("cryptography")

from common.client import Client, faults
from common.service import Ledger, Service
from common.statements import Key, member

PATIENCE = 15
SMALL = 12 << 20


class Limited:
    """No file of the process may have more than a page: less than one commit needs, wherever in its WAL SQLite is."""

    def __init__(self, service, _):
        self.pid = service.process.pid

    def fill(self):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))

    def free(self):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Filled:
    """Another file takes all the room there is."""

    def __init__(self, _, folder):
        self.ballast = folder / "ballast"

    def fill(self):
        with self.ballast.open("ab", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                return

    def free(self):
        self.ballast.unlink()


class Run:
    """One service that runs through it several times."""

    def __init__(self, folder):
        self.ledger = Ledger(folder)
        self.recorded, self.findings = {}, []

    def post(self, client):
        """Posts a new statement: its answer, which is kept if it is a receipt."""
        statement = member(self.ledger.steward, "a member", Key())
        answer = client.post("/v1/members", statement)
        self.findings += [f"POST: {fault}" for fault in faults(answer)]
        if answer.status in (200, 201):
            self.recorded[answer.json()["index"]] = statement
        return answer

    def until(self, what, test):
        """Waits for something that is to come."""
        ends = time.monotonic() + PATIENCE
        while not test():
            if time.monotonic() > ends:
                self.findings.append(f"{what}: not within {PATIENCE} s")
                return
            time.sleep(0.1)

    def rounds(self, number, room):
        with Service(self.ledger) as service:
            service.ready()
            disk, client = room(service, self.ledger.folder), Client(service.address)
            for _ in range(20):
                self.post(client)
            for _ in range(number):
                self.round(disk, client)
            client.close()
            status, _ = service.terminate()
            if status != 0:
                self.findings.append(f"it ended with status {status}")
        self.look()

    def round(self, disk, client):
        disk.fill()
        self.until("a statement is refused", lambda: self.post(client).status == 503)
        # What is left in the database's own files is used up first.
        self.until("/readyz is 503", lambda: self.post(client).status == 503 and client.get("/readyz").status == 503)
        for path in ("/livez", "/checkpoint", "/v1/members", "/v1/entries/0"):
            if (answer := client.get(path)).status != 200:
                self.findings.append(f"{path} of a service without room: {answer.status}")
        disk.free()
        self.until("a statement is taken again", lambda: self.post(client).status == 201)
        self.until("/readyz is 200 again", lambda: client.get("/readyz").status == 200)

    def look(self):
        self.findings += [f"fsck: {finding}" for finding in self.ledger.fsck()["findings"]]
        with Service(self.ledger) as service:
            service.ready()
            client = Client(service.address)
            for index, statement in self.recorded.items():
                again = client.post("/v1/members", statement)
                if (again.status, again.json().get("index")) != (200, index):
                    self.findings.append(f"entry {index} was acknowledged, and is answered with {again.status}")
            client.close()


def mounted(folder):
    """Whether a small file system could be mounted there."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", folder]
    return shutil.which("mount") and os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0


def told(name, run):
    print(f"{name}: {len(run.recorded)} acknowledged, {len(run.findings)} findings")
    for finding in run.findings[:40]:
        print(f"FOUND: {finding}")
    return run.findings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    findings = []
    with tempfile.TemporaryDirectory(prefix="galen-full-") as folder:
        run = Run(folder)
        run.rounds(chosen.rounds, Limited)
        findings += told("files that may not grow", run)
    with tempfile.TemporaryDirectory(prefix="galen-full-") as folder:
        if mounted(folder):
            try:
                run = Run(Path(folder) / "ledger")
                run.rounds(chosen.rounds, Filled)
                findings += told("a full file system", run)
            finally:
                subprocess.run(["umount", "--lazy", folder], check=True)
        else:
            print("a full file system: none may be mounted here, not tried")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
