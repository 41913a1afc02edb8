#!/usr/bin/env python3
"""Runs a command beside a service with a fresh ledger on a free port; ends with the command's status.

    with_service.py [--entries N] [--study] command [argument ...]

The command finds in its environment SERVICE_URL, SERVICE_KEY (the log's, as C2SP tools take it) and
SERVICE_CHECKPOINTS, a folder of checkpoints that were saved while the log grew. The ledger is in SQLite, or in a new
database on the PostgreSQL server at GALEN_TEST_POSTGRES."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common.packages import need

need("cryptography")

from common.client import Client
from common.service import Ledger, Service
from common.statements import Key, member
from common.study import Study

# Around the borders of tiles, where mistakes would be.
SAVED = (1, 2, 3, 100, 255, 256, 257, 300, 511, 512, 513, 600)


def grow(ledger, service, size, folder):
    """Members until the log has `size` entries; its checkpoints on the way."""
    client = Client(service.address)
    for index in range(1, size):
        statement = member(ledger.steward, f"member {index}", Key())
        save = index + 1 in (*SAVED, size)
        answer = client.post("/v1/members" + ("?wait=published" if save else ""), statement)
        if answer.status != 201 or answer.json()["index"] != index:
            raise RuntimeError(f"entry {index} was answered with {answer.status}: {answer.body}")
        if save:
            (folder / str(index + 1)).write_bytes(client.get("/checkpoint").body)
    client.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1)
    parser.add_argument("--study", action="store_true", help="with a registry, a dataset, queries and an answer")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="galen-served-") as folder:
        ledger = Ledger(folder, os.environ.get("GALEN_TEST_POSTGRES"))
        checkpoints = Path(folder) / "checkpoints"
        checkpoints.mkdir()
        with Service(ledger) as service:
            service.ready()
            grow(ledger, service, chosen.entries, checkpoints)
            if chosen.study:
                Study(ledger).make().record(service)
            told = {"SERVICE_URL": service.url, "SERVICE_KEY": service.encoded_key, "SERVICE_CHECKPOINTS": str(checkpoints)}
            status = subprocess.run(chosen.command, env={**os.environ, **told}, check=False).returncode
            ended, _ = service.terminate()
        if errors := ledger.errors.read_text(errors="replace"):
            print(f"the service's errors, the last of them:\n{errors[-3000:]}", file=sys.stderr)
    sys.exit(status or ended)


if __name__ == "__main__":
    main()
