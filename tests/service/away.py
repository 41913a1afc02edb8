#!/usr/bin/env python3
"""A database that is away for a while, or cannot be read in a part: no request is answered by a failure of the service's own,
`/readyz` says what is wrong, and what comes back is taken up without a restart.

    away.py [--postgres URL] [--rounds N]

PostgreSQL is stopped and started by its own program: its folder is the one with the socket, as .ci/postgres makes it."""

import argparse
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from common.packages import need

need("cryptography")

from common.client import Client, Cut, faults
from common.service import Ledger, Service
from common.statements import Key, member

PATIENCE = 40
READS = ("/v1/log", "/checkpoint", "/v1/entries/0", "/v1/members", "/v1/entries/1/proof")


class Server:
    """The PostgreSQL server of a URL."""

    def __init__(self, url):
        folder = Path(parse_qs(urlsplit(url).query)["host"][0])
        self.data = folder / "data"
        command = shlex.split((self.data / "postmaster.opts").read_text())
        self.program, self.options = Path(command[0]), shlex.join(command[1:])

    def control(self, *command):
        run = [self.program.parent / "pg_ctl", "-D", self.data, "-w", *command]
        if os.getuid() == 0:
            run = ["runuser", "-u", "postgres", "--", *run]
        subprocess.run([str(r) for r in run], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def stop(self):
        self.control("stop", "-m", "immediate")

    def start(self):
        self.control("start", "-l", self.data / "log", "-o", self.options)


def post(service, ledger, name):
    return Client(service.address).post("/v1/members", member(ledger.steward, name, Key()))


def looked_at(service, what):
    """What is wrong with the answers of a service whose database is away."""
    found = []
    for path in READS:
        answer = Client(service.address).get(path)
        found += [f"{what}: {path}: {fault}" for fault in faults(answer)]
    if Client(service.address).get("/livez").status != 200:
        found.append(f"{what}: the service does not live")
    if Client(service.address).get("/readyz").status != 503:
        found.append(f"{what}: /readyz is not 503")
    return found


def eventually(service, ledger, name):
    """Waits until a statement is taken."""
    until = time.monotonic() + PATIENCE
    while (answer := post(service, ledger, name)).status != 201:
        if time.monotonic() > until:
            return [f"{name}: not taken within {PATIENCE} s: {answer.status} {answer.body!r}"]
        time.sleep(0.2)
    return []


def read_again(service):
    """Waits until everything is read, and the service is ready."""
    until = time.monotonic() + PATIENCE
    while True:
        answers = {path: Client(service.address).get(path).status for path in (*READS, "/readyz")}
        if set(answers.values()) == {200}:
            return []
        if time.monotonic() > until:
            return [f"not read within {PATIENCE} s once PostgreSQL is back: {answers}"]
        time.sleep(0.2)


def stopped_server(url, folder, rounds):
    """PostgreSQL stops without a farewell, and comes back."""
    ledger, server, found = Ledger(folder / "away", url), Server(url), []
    with Service(ledger) as service:
        service.ready()
        found += eventually(service, ledger, "before")
        for n in range(rounds):
            server.stop()
            refused = post(service, ledger, f"meanwhile {n}")
            if refused.status != 503:
                found.append(f"a statement without a database: {refused.status}")
            found += looked_at(service, "PostgreSQL is away")
            server.start()
            found += eventually(service, ledger, f"after {n}")
            found += read_again(service)
        service.terminate()
    return found + [f"fsck: {f}" for f in ledger.fsck()["findings"]]


def pages_of(path, table):
    """The leaves of a table in SQLite's file, and the size of its pages."""
    with sqlite3.connect(path) as log:
        size = log.execute("PRAGMA page_size").fetchone()[0]
        root = log.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    bytes_ = path.read_bytes()

    def leaves(page):
        at = (page - 1) * size
        if bytes_[at] in (0x0D, 0x0A):
            return [page]
        count = int.from_bytes(bytes_[at + 3 : at + 5], "big")
        cells = [int.from_bytes(bytes_[at + 12 + 2 * i : at + 14 + 2 * i], "big") for i in range(count)]
        below = [int.from_bytes(bytes_[at + c : at + c + 4], "big") for c in cells]
        below.append(int.from_bytes(bytes_[at + 8 : at + 12], "big"))
        return [leaf for page in below for leaf in leaves(page)]

    return leaves(root), size


def malformed(folder):
    """A page of SQLite's file is overwritten while the service runs."""
    ledger, found = Ledger(folder / "malformed"), []
    path = ledger.folder / "data" / "ledger.db"
    with Service(ledger) as service:
        service.ready()
        for n in range(400):
            post(service, ledger, f"m {n}")
        service.terminate()
    leaves, size = pages_of(path, "entries")
    if len(leaves) < 5:
        return [f"the table of entries has {len(leaves)} pages only"]
    with Service(ledger) as service:
        service.ready()
        with path.open("r+b") as file:
            file.seek((leaves[len(leaves) // 2] - 1) * size)
            file.write(bytes([0x55]) * size)
        client, told = Client(service.address), None
        for index in range(401):
            answer = client.get(f"/v1/entries/{index}")
            found += [f"a malformed page: /v1/entries/{index}: {fault}" for fault in faults(answer)]
            if answer.status != 200:
                told = answer.code
        if told != "damaged":
            found.append(f"a malformed page is told as {told}")
        if client.get("/readyz").status != 503:
            found.append("/readyz is 200 with a malformed page")
        if (refused := post(service, ledger, "after")).status != 503 or refused.code != "damaged":
            found.append(f"a statement is taken into a database with a malformed page: {refused.status}")
        if client.get("/checkpoint").status != 200 or client.get("/v1/entries/0").status != 200:
            found.append("what can be read is not served")
        service.terminate()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", metavar="URL", help="a server that may be stopped")
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="galen-away-") as folder:
        try:
            found = malformed(Path(folder))
            if chosen.postgres:
                found += stopped_server(chosen.postgres, Path(folder), chosen.rounds)
        except Cut as why:
            found = [f"a request without an answer: {why}"]
    for finding in sorted(set(found)):
        print(f"FOUND: {finding}")
    print(f"databases that are away or damaged: {len(found)} findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
