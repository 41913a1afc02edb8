"""Proof of SQL, by the driver in `proof-of-sql/`."""

import json
import os
import subprocess
from pathlib import Path

from .process import run

FOLDER = Path(__file__).resolve().parents[1] / "proof-of-sql"


def build():
    """Builds the driver where needed, with its own lock file; its path."""
    # In its folder: it is no member of the project, and the project's settings are not its own.
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=FOLDER, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", FOLDER / "target")).resolve()
    return target / "release" / "galen-peer-proof-of-sql"


def dump(driver, rows, table):
    """Writes the table for Galen."""
    run([driver, "dump", rows, table])


def prove(driver, scheme, rows):
    """Setup, commitments and every query once, in one process: a list of what it says."""
    taken = run([driver, "prove", scheme, rows, 1, "all"])
    return [json.loads(line) for line in taken.output.splitlines()]
