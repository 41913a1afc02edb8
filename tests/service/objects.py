#!/usr/bin/env python3
"""Files in object storage (moto), and the lock there: what a service does when the store is away, not fit, or shared by
another copy of its database.

    objects.py"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.packages import need

need("cryptography")

from common.buckets import Buckets
from common.client import Client
from common.service import Ledger, Service, galen
from common.statements import Key, member, sha256

PATIENCE = 40


class Copy(Ledger):
    """A ledger whose data is a copy of another's."""

    def __init__(self, folder, of, options):
        super().__init__(folder, files=of.files)
        for name in ("steward.key", "log.key", "consortium.json"):
            shutil.copy(of.folder / name, self.folder / name)
        shutil.copytree(of.folder / "data", self.folder / "data")
        self.steward, self.log, self.options = of.steward, of.log, options

    def place(self):
        return [*super().place(), *self.options]


def refused(ledger, *said):
    """What is wrong if a service starts, or does not say why it refuses to."""
    service = Service(ledger)
    try:
        service.ready()
    except RuntimeError as why:
        missing = [s for s in said if s not in str(why)]
        service.gone(5)
        return [f"a refused start does not say {s!r}: {why}" for s in missing]
    service.kill()
    return [f"a service started that had to refuse: {', '.join(said)}"]


def post(service, ledger, name, published=True):
    wait = "?wait=published" if published else ""
    return Client(service.address).post(f"/v1/members{wait}", member(ledger.steward, name, Key())).status


def size(service):
    return service.verifier.open(Client(service.address).get("/checkpoint").body).size


def not_fit(folder, buckets):
    """Buckets that a ledger must not be begun in."""
    none = Ledger(folder / "no-bucket", files="s3://galen-no-such-bucket/x")
    found = refused(none, "NoSuchBucket")
    found += refused(Ledger(folder / "no-address", files="/var/lib/galen"), "s3://bucket/prefix")
    buckets.overlooks = True
    found += refused(Ledger(folder / "overlooks", files=buckets.new()), "If-None-Match")
    buckets.overlooks = False
    buckets.away = True
    away = Ledger(folder / "away", files=buckets.new())
    found += refused(away, "the file store")
    buckets.away = False
    with Service(away) as service:
        service.ready()
    return found + wrong_environment(Ledger(folder / "environment", files=buckets.new()))


def wrong_environment(ledger):
    """Settings that tell no store are named."""
    found, right = [], dict(os.environ)
    for name, value in (("AWS_ENDPOINT_URL", "localhost:9000"), ("AWS_ENDPOINT_URL", ""), ("AWS_ALLOW_HTTP", "no")):
        os.environ[name] = value
        found += refused(ledger, name)
        os.environ[name] = right[name]
    return found


def life(folder, buckets):
    """A ledger in a bucket: written, read, audited, mended; a second one is not begun in its place."""
    ledger, found = Ledger(folder / "life", files=buckets.new()), []
    with Service(ledger) as service:
        service.ready()
        for n in range(300):
            if post(service, ledger, f"m {n}", n == 299) != 201:
                found.append(f"statement {n} was not taken")
        file = b"a file beside the log"
        client = Client(service.address)
        if client.request("PUT", f"/v1/blobs/{sha256(file)}", file).status != 202:
            found.append("a file was not taken")
        served = client.get("/tile/0/000").body
        mirror = [galen(), "mirror", service.url, "--data", ledger.folder / "copy", "--log-key", service.encoded_key]
        done = subprocess.run(mirror, capture_output=True, text=True, check=False)
        found += [f"a mirror: {done.stderr}"] if done.returncode else []
        service.terminate()
    if buckets.object(ledger.files, "tile/0/000") != served:
        found.append("the tile that is served is not the one in the bucket")
    if buckets.object(ledger.files, "tile/0/000.p/200"):
        found.append("partial tiles stay that a full one has replaced")
    if (ledger.folder / "data" / "files").exists():
        found.append("there are files in the folder too")
    for name, keep in (("tile/0/000", "immutable"), ("checkpoint", "no-cache")):
        _, headers, _ = buckets.send("HEAD", f"/{ledger.files.removeprefix('s3://')}/{name}")
        if keep not in headers.get("cache-control", ""):
            found.append(f"{name} does not say how long it may be kept")
    found += [f"fsck: {f}" for f in ledger.fsck()["findings"]]
    buckets.send("PUT", f"/{ledger.files.removeprefix('s3://')}/tile/0/000", b"torn")
    if ledger.fsck()["findings"] != ["tile/0/000 differs from the entries"]:
        found.append("a torn tile in the bucket is not found")
    restore = subprocess.run([galen(), "ledger", "restore", *ledger.place()], capture_output=True, check=False)
    if restore.returncode or buckets.object(ledger.files, "tile/0/000") != served:
        found.append(f"a torn tile in the bucket is not mended: {restore.stderr!r}")
    shutil.move(ledger.folder / "data" / "ledger.db", ledger.folder / "lost.db")
    return found + refused(ledger, "there is no database")


def away(folder, buckets):
    """The store is away for a while: entries are taken and wait; files and tiles are 503; no restart is needed."""
    ledger, found = Ledger(folder / "for-a-while", files=buckets.new()), []
    with Service(ledger) as service:
        service.ready()
        post(service, ledger, "before")
        before = size(service)
        buckets.away = True
        if post(service, ledger, "meanwhile", published=False) != 201:
            found.append("an entry is not taken while the store of files is away")
        client, file = Client(service.address), b"a file"
        for answer in (client.request("PUT", f"/v1/blobs/{sha256(file)}", file), client.get("/tile/entries/000.p/1")):
            if answer.status != 503 or not answer.headers.get("retry-after"):
                found.append(f"a store that is away is {answer.status}, and not 503 with Retry-After")
        if size(service) != before:
            found.append("a checkpoint is shown whose tiles are not there")
        buckets.away = False
        until = time.monotonic() + PATIENCE
        while size(service) == before:
            if time.monotonic() > until:
                return [*found, "nothing was published once the store was back"]
            time.sleep(0.2)
        if post(service, ledger, "after") != 201:
            found.append("nothing is taken once the store is back")
        service.terminate()
    return found + [f"fsck: {f}" for f in ledger.fsck()["findings"]]


def copies(folder, buckets, locked):
    """Two copies of one database, files in one bucket, or each in its folder and the lock in a bucket."""
    files, lock = (None, buckets.new()) if locked else (buckets.new(), None)
    options = ["--lock", lock] if lock else []
    first = Ledger(folder / f"copies-{locked}", files=files)
    with Service(first, *options) as service:
        service.ready()
        post(service, first, "both")
        service.terminate()
    found = []
    one = Copy(folder / f"one-{locked}", first, options)
    two = Copy(folder / f"two-{locked}", first, options)
    with Service(one) as a, Service(two) as b:
        a.ready()
        b.ready()
        statuses = {post(a, one, "a"), post(b, two, "b")}
        for n in range(5):
            post(a, one, f"a {n}", published=False)
        ended = []
        until = time.monotonic() + PATIENCE
        while not ended and time.monotonic() < until:
            ended = [s for s in (a, b) if s.process.poll() is not None]
            time.sleep(0.1)
        if ended != [b] or 201 not in statuses:
            found.append(f"of two copies not just the later one ended: {statuses}, {len(ended)}")
        elif "another copy" not in (told := two.errors.read_text().lower()) and "another tree" not in told:
            found.append(f"the one that ended does not say why: {told[-500:]}")
        if a.process.poll() is None and post(a, one, "after") != 201:
            found.append("the other one does not go on")
    found += [f"fsck: {f}" for f in one.fsck()["findings"]]
    if locked:
        # Without the lock nothing is seen to be wrong with the one that halted.
        unhalt = [galen(), "ledger", "unhalt", *Ledger.place(two), "--reason", "the cause is not known"]
        done = subprocess.run(unhalt, capture_output=True, text=True, check=False)
        if done.returncode == 0 or "give --files or --lock" not in done.stderr:
            found.append(f"a halt that a lock found is cleared without it: {done.stdout}{done.stderr}")
    older = Copy(folder / f"older-{locked}", first, options)
    found += refused(older, "refusing to sign")
    # A mistyped address is not taken for a new one.
    one.files, one.options = (files and f"{files}x"), (["--lock", f"{lock}x"] if lock else [])
    return found + refused(one, "--new-lock")


def main():
    buckets = Buckets()
    found = []
    with tempfile.TemporaryDirectory(prefix="galen-objects-") as folder:
        folder = Path(folder)
        found += not_fit(folder, buckets)
        found += life(folder, buckets)
        found += away(folder, buckets)
        for locked in (False, True):
            found += copies(folder, buckets, locked)
    buckets.stop()
    for finding in found:
        print(f"FOUND: {finding}")
    print(f"object storage: {sum(buckets.counts.values())} requests, {len(found)} findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
