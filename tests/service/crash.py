#!/usr/bin/env python3
"""Kills `galen serve` at random moments under load, and looks whether anything acknowledged was lost.

    crash.py [--kills N] [--postgres URL]               one service, killed and started again
    crash.py --replicas 2 --postgres URL [--kills N]    two on one database and folder, one or the other is killed

`--objects`: files are in object storage that is slow, fails and loses acknowledgements; replicas share no folder."""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from common.packages import need

need("cryptography")

from common.audit import Heads, Watch, check_again, check_entries, check_log
from common.buckets import Buckets
from common.client import Client
from common.load import Pool, Record, Submitters
from common.service import Ledger, Service

READY = 3_000
SHORTEST, LONGEST = 0.05, 1.5


class Run:
    """What all modes share: a ledger, statements, what was acknowledged, what was seen."""

    def __init__(self, folder, server, twins, buckets):
        self.server, self.buckets = server, buckets
        self.ledger = self.new_ledger(folder)
        self.pool = Pool(self.ledger.steward, twins)
        self.record, self.heads = Record(), Heads()
        self.counts, self.findings = Counter(), []

    def new_ledger(self, folder):
        return Ledger(folder, self.server, self.buckets.new() if self.buckets else None)

    def calm(self):
        """While something is looked at that need not be repeated."""
        return self.buckets.calm() if self.buckets else nullcontext()

    def find(self, faults, when):
        self.findings += [f"{when}: {fault}" for fault in faults]

    def fsck(self, when):
        with self.calm():
            report = self.ledger.fsck()
        self.find(report["findings"], f"{when}: fsck")
        self.counts["audits"] += 1
        if report["entries"] > report["published"]:
            self.counts["audits with entries not yet published"] += 1
        return report

    def check_last(self, service, when):
        """The statements that were acknowledged since the last check."""
        latest = self.record.latest
        self.record.latest = {}
        index = self.record.index
        again = random.sample(sorted(latest.items()), min(50, len(latest)))
        with self.calm():
            self.find(check_entries(service.address, {d: index[d] for d in latest}), when)
            self.find(check_again(service.address, again, index), when)
        self.counts["receipts looked up"] += len(latest)
        self.counts["sent again after a receipt"] += len(again)

    def settle(self, services):
        """Waits until every service has published all that any has acknowledged."""
        least = max(self.record.index.values(), default=-1) + 1
        for service in services:
            until = time.monotonic() + 20
            while self.size(service) < least:
                if time.monotonic() > until:
                    self.find([f"after 20 s the checkpoint is still behind entry {least - 1}"], "at the end")
                    break
                time.sleep(0.1)

    def size(self, service):
        return service.verifier.open(Client(service.address).get("/checkpoint").body).size

    def finish(self, services):
        """Everything once more, over the whole log."""
        self.settle(services)
        if self.buckets:
            self.buckets.faulty = False
        for number, service in enumerate(services):
            self.find(check_entries(service.address, self.record.index), f"at the end, service {number}")
            size, found = check_log(service, self.record.index, self.heads)
            self.find(found, f"at the end, service {number}")
            self.counts["entries"] = size
        for service in services:
            if service.terminate()[0] != 0:
                self.find(["the service did not end with status 0"], "at the end")
        report = self.fsck("at the end")
        if report["entries"] != report["published"]:
            self.find([f"{report['entries']} entries, {report['published']} published"], "at the end")
        self.find(self.heads.faults, "checkpoints")
        self.find(self.record.faults, "answers")
        left = [p.name for p in (self.ledger.folder / "data" / "files").rglob("*#*")]
        self.counts["unfinished files left behind"] = len(left)
        text = self.ledger.errors.read_text(errors="replace")
        self.counts["error lines"] = text.count("ERROR")
        self.find(["a panic, see the service's errors"] if "panicked" in text else [], "errors")

    def tell(self):
        if self.buckets:
            self.counts.update({f"requests to object storage: {what}": n for what, n in self.buckets.counts.items()})
        self.counts["checkpoints polled"] = self.heads.polls
        self.counts["acknowledged"] = len(self.record.index)
        for counts in (self.counts, self.record.outcomes):
            for name, number in sorted(counts.items()):
                print(f"{number:9,}  {name}")
        if self.heads.behind:
            print(f"{self.heads.behind:9,}  times a checkpoint was smaller than one seen before at the other replica, "
                  f"by up to {self.heads.most_behind} entries")
        for finding in self.findings[:40]:
            print(f"FOUND: {finding}")
        print(f"{len(self.findings)} findings")


def births(run, kills):
    """New ledgers, killed while they begin: each must begin again, and hold its first entry."""
    for number in range(kills):
        ledger = run.new_ledger(run.ledger.folder / f"new-{number}")
        service = Service(ledger)
        time.sleep(random.uniform(0, 0.15))
        service.kill()
        run.counts["kills of new ledgers"] += 1
        try:
            run.find(ledger.fsck()["findings"], f"new ledger {number}: fsck")
        except RuntimeError as why:
            # Killed so early it has promised nothing: there is no database, or not even its folder.
            if any(there in str(why) for there in ("there is no ledger", "there is no folder")):
                run.counts["new ledgers killed before there was one"] += 1
            else:
                run.find([why], f"new ledger {number}")
        with Service(ledger) as service:
            try:
                service.ready()
            except RuntimeError as why:
                run.find([why], f"new ledger {number}")
                continue
            if Client(service.address).get("/v1/entries/0").status != 200:
                run.find(["it has no entry 0"], f"new ledger {number}")


def single(run, kills):
    """One service: loaded, killed, audited, started again."""
    for cycle in range(kills):
        run.pool.fill(READY)
        service = Service(run.ledger)
        timer = threading.Timer(random.uniform(SHORTEST, LONGEST), service.process.kill)
        # One in four is killed while it starts, if its time is short enough.
        if early := cycle % 4 == 3:
            timer.start()
        try:
            service.ready()
        except RuntimeError:
            if not early:
                raise
            run.counts["killed before it listened"] += 1
        else:
            under_load(run, service, timer, early, f"cycle {cycle}")
        timer.join()
        service.kill()
        run.counts["kills"] += 1
        run.fsck(f"cycle {cycle}")
    service = Service(run.ledger).ready()
    run.check_last(service, "at the end")
    run.finish([service])


def under_load(run, service, timer, early, when):
    if not early:
        run.check_last(service, when)
        timer.start()
    watch = Watch(service, run.heads, run.heads.largest).start()
    Submitters(service.address, run.pool, run.record).start().join()
    watch.stop()


class Replica:
    """One of two: its service and what is going on at it."""

    def __init__(self, run):
        self.run, self.service = run, None

    def start(self):
        # What it shows first is what is in the database: at least all that any replica has shown before.
        least = self.run.heads.largest
        self.service = Service(self.run.ledger).ready()
        self.watch = Watch(self.service, self.run.heads, least).start()
        self.submitters = Submitters(self.service.address, self.run.pool, self.run.record, threads=6).start()

    def kill(self):
        self.service.kill()
        self.rest()

    def rest(self):
        self.submitters.stop()
        self.watch.stop()


def replicas(run, kills):
    """Two services under load; again and again one of them is killed, and comes back."""
    run.pool.fill(READY)
    pair = [Replica(run), Replica(run)]
    for replica in pair:
        replica.start()
    for cycle in range(kills):
        time.sleep(random.uniform(SHORTEST, LONGEST))
        victim = pair[cycle % 2]
        victim.kill()
        run.counts["kills"] += 1
        run.pool.fill(READY)
        time.sleep(random.uniform(0, 0.5))
        victim.start()
    time.sleep(1)
    for replica in pair:
        replica.rest()
    run.check_last(pair[0].service, "at the end")
    run.finish([replica.service for replica in pair])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, help="50, with PostgreSQL 20")
    parser.add_argument("--postgres", metavar="URL", help="a server where a database may be created")
    parser.add_argument("--replicas", type=int, choices=(1, 2), default=1)
    parser.add_argument("--objects", action="store_true", help="files in object storage with faults")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = parser.parse_args()
    if chosen.replicas == 2 and not chosen.postgres:
        parser.error("replicas need --postgres")
    return chosen


def main():
    chosen = arguments()
    random.seed(chosen.seed)
    kills = chosen.kills or (20 if chosen.postgres else 50)
    folder = Path(tempfile.mkdtemp(prefix="galen-crash-"))
    buckets = Buckets() if chosen.objects else None
    run = Run(folder, chosen.postgres, chosen.replicas == 2, buckets)
    if buckets:
        buckets.faulty = True
    started = time.monotonic()
    if chosen.replicas == 2:
        replicas(run, kills)
    else:
        births(run, max(1, kills // 2))
        single(run, kills)
    if buckets:
        buckets.stop()
    print(f"{kills} kills in {time.monotonic() - started:.0f} s, seed {chosen.seed}")
    run.tell()
    if run.findings:
        print(f"kept for a look: {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
