"""One process, run to its end, and what it took."""

import os
import subprocess
import time
from dataclasses import dataclass


class Failed(Exception):
    """The comparison cannot go on; the text says why."""


@dataclass
class Taken:
    """All of a process, from its start to its end."""

    output: str
    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command, **settings):
    """Runs a command, which must succeed. Its standard error goes to ours. A setting of the environment that is
    None is left as it is."""
    words = [str(word) for word in command]
    environment = os.environ | {name: value for name, value in settings.items() if value is not None}
    started = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    output = process.stdout.read()
    process.stdout.close()
    # Not process.wait(): only wait4 tells what this one child used.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Failed(f"{' '.join(words)} ended with {process.returncode}")
    # Linux counts the largest resident memory in KiB.
    return Taken(output, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
