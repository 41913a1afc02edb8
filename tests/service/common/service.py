"""A ledger on disk or in PostgreSQL, and `galen serve` as a process."""

import json
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from .statements import Key, consortium, log_key
from .tree import Verifier

ROOT = Path(__file__).resolve().parents[3]
ORIGIN = "ledger.example/test"


def galen():
    """The program under test."""
    if path := os.environ.get("GALEN"):
        return str(Path(path).resolve())
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return str(target / "release" / "galen")


def new_database(server):
    """A new database on a PostgreSQL server; its URL."""
    name = f"galen_{secrets.token_hex(6)}"
    psql = ["psql", "--quiet", "--no-psqlrc", server, "--command", f"CREATE DATABASE {name}"]
    subprocess.run(psql, check=True)
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


class Ledger:
    """A new ledger in a folder, with one steward; its files elsewhere if an address is given. Nothing is started."""

    def __init__(self, folder, server=None, files=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.steward = Key()
        self.steward.write(self.folder / "steward.key")
        key = Key()
        key.write(self.folder / "log.key")
        self.log = log_key(ORIGIN, key)
        (self.folder / "consortium.json").write_bytes(consortium(self.log, self.steward))
        self.database = new_database(server) if server else None
        self.files = files

    @property
    def errors(self):
        """What its services have written to standard error."""
        return self.folder / "errors.log"

    def place(self):
        given = {"--database-url": self.database, "--files": self.files}
        if not all(given.values()):
            given["--data"] = self.folder / "data"
        given = [option for pair in given.items() if pair[1] for option in pair]
        return [*given, "--log-key", self.folder / "log.key", "--origin", ORIGIN]

    def fsck(self):
        """The audit's report."""
        run = [galen(), "ledger", "fsck", "--json", *self.place()]
        done = subprocess.run(run, capture_output=True, check=False, timeout=600)
        report = json.loads(done.stdout.decode().partition("\n}")[0] + "\n}") if done.stdout.startswith(b"{") else {}
        if "clean" not in report or report["clean"] != (done.returncode == 0):
            raise RuntimeError(f"fsck exited with {done.returncode}: {done.stdout!r} {done.stderr!r}")
        return report


class Service:
    """A started service. `ready` must be called before it is asked anything."""

    def __init__(self, ledger, *options):
        self.ledger = ledger
        self.log = ledger.errors.open("ab")
        run = [galen(), "serve", "--json", *ledger.place(), "--listen", "127.0.0.1:0", *options]
        run += ["--consortium", ledger.folder / "consortium.json"]
        # Python ignores SIGXFSZ, and so shall the service: a file that may not grow is then an error of the write.
        self.process = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=self.log, restore_signals=False)
        self.address = self.encoded_key = self.verifier = None

    def ready(self):
        """Waits until it listens. Raises if it ends first."""
        text = b""
        for line in self.process.stdout:
            text += line
            if line == b"}\n":
                told = json.loads(text)
                if "url" not in told:
                    break
                url = urlsplit(told["url"])
                self.address = (url.hostname, url.port)
                self.encoded_key = told["log_key"]
                self.verifier = Verifier(self.encoded_key)
                return self
        said = text.decode() + self.ledger.errors.read_text()[-2000:]
        raise RuntimeError(f"the service ended with {self.process.wait()}: {said}")

    @property
    def url(self):
        return "http://{}:{}".format(*self.address)

    def kill(self):
        self.process.kill()
        self.gone(5)

    def terminate(self, patience=60):
        """SIGTERM; its exit status and how long it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.gone(patience)
        return self.process.returncode, time.monotonic() - started

    def gone(self, patience):
        try:
            self.process.wait(patience)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
            self.log.close()

    def memory(self):
        """Resident memory, MiB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
