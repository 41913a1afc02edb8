#!/usr/bin/env python3
"""What a service makes of clients who mean no good: it stays up, quick and small, and says what is wrong.

    hostile.py [--garbage N] [--connections N] [--quick]

The ledger is in SQLite, or in a new database on the PostgreSQL server at GALEN_TEST_POSTGRES."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from common.packages import need

need("cryptography")

from attacks import bodies, forged, garbage, slow
from attacks.target import Target, Watch
from common.service import Ledger, Service
from common.study import Study

MAX_FILE = 2
GROWTH = 100


def step(name, run, target):
    started = time.monotonic()
    run()
    print(f"-- {name}: {time.monotonic() - started:.0f} s, {target.service.memory():.0f} MiB", flush=True)


def attack(target, chosen):
    watch = Watch(target).start()
    step("bodies", lambda: bodies.attack(target), target)
    step("forged", lambda: forged.attack(target), target)
    step("slow headers", lambda: slow.headers(target, chosen.connections), target)
    if not chosen.quick:
        step("slow bodies", lambda: slow.bodies(target, chosen.connections), target)
    half = chosen.garbage // 2
    step("garbage, first half", lambda: garbage.attack(target, half), target)
    middle = target.service.memory()
    step("garbage, second half", lambda: garbage.attack(target, half), target)
    after = target.service.memory()
    step("aftermath", lambda: garbage.aftermath(target), target)
    watch.stop()
    watch.tell()
    print(f"memory: {watch.before:.0f} MiB before, at most {watch.most:.0f}, {after:.0f} after; "
          f"{after - middle:+.0f} in the second half of the garbage")
    if watch.most - watch.before > GROWTH or after - middle > GROWTH / 4:
        target.find("memory grew")
    if not chosen.quick:
        step("exhaustion", lambda: slow.exhaustion(target), target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--garbage", type=int, default=10_000, help="pieces of it")
    parser.add_argument("--connections", type=int, default=200, help="that are slow at the same time")
    parser.add_argument("--quick", action="store_true", help="without slow bodies and without using up its files")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    folder = Path(tempfile.mkdtemp(prefix="galen-hostile-"))
    ledger = Ledger(folder, os.environ.get("GALEN_TEST_POSTGRES"))
    with Service(ledger, "--max-file", str(MAX_FILE)) as service:
        study = Study(ledger).make().record(service.ready())
        target = Target(service, ledger, study, MAX_FILE << 20)
        attack(target, chosen)
        if service.terminate()[0] != 0:
            target.find("the service did not end with status 0")
    target.findings.update(f"fsck: {finding}" for finding in ledger.fsck()["findings"])
    if "panicked" in ledger.errors.read_text(errors="replace"):
        target.find("a panic, see the service's errors")
    tell(target, chosen.seed, folder)


def tell(target, seed, folder):
    for status, times in sorted(target.statuses.items(), key=str):
        print(f"{times:9,}  {status}")
    for finding, times in target.findings.most_common(60):
        print(f"FOUND ({times}): {finding}")
    print(f"{len(target.findings)} findings, seed {seed}")
    if target.findings:
        sys.exit(f"kept for a look: {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
