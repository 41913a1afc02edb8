"""Where and when figures were taken."""

import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def load():
    """The load averages of 1, 5 and 15 minutes."""
    return ", ".join(f"{average:.2f}" for average in os.getloadavg())


def describe(galen):
    """Lines of Markdown."""
    now = datetime.now(timezone.utc)
    return [
        f"- {processor()}, {os.cpu_count()} cores, {memory()}",
        f"- load average at the start: {load()}",
        f"- {said(['rustc', '--version'])}; {arithmetic(galen)}; Proof of SQL 0.131.2",
        f"- {now:%Y-%m-%d %H:%M} UTC",
    ]


def processor():
    return field("/proc/cpuinfo", "model name") or "unknown processor"


def memory():
    kib = field("/proc/meminfo", "MemTotal")
    return f"{int(kib.split()[0]) / 2**20:.0f} GiB" if kib else "unknown memory"


def field(path, name):
    """The first value of a field in a file of /proc."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    found = (line.split(":", 1)[1].strip() for line in lines if line.startswith(name))
    return next(found, None)


def arithmetic(galen):
    """Galen's version, and which arithmetic it takes here."""
    version, path, *_ = said([galen, "--version", "--verbose"]).splitlines()
    return f"{version} with {path.removeprefix('arithmetic').strip()}"


def said(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
