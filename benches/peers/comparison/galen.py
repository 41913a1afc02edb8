"""Galen, as its users run it: one process a command."""

import json
import os
from pathlib import Path

from .process import Failed, run

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = Path(__file__).resolve().parents[1] / "registry.toml"
PURPOSE = "DUO:0000042"
FEWEST_OF_A_SHAPE = 1 << 14

QUERIES = {
    "Q1": "SELECT count(*) AS c FROM patients WHERE sex AND dx",
    "Q2": "SELECT count(*) AS c, sum(ldl) AS s FROM patients "
    "WHERE age BETWEEN 40 AND 65 AND sex AND hba1c >= 65",
    "Q3": "SELECT sex, count(*) AS c FROM patients WHERE age >= 40 GROUP BY sex",
}


def program():
    """The release build, or the one that GALEN names."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = Path(os.environ.get("GALEN", target / "release" / "galen")).resolve()
    if not path.is_file():
        raise Failed(f"there is no {path}; cargo build --release, or set GALEN")
    return path


def shape(rows):
    """The smallest parameters for so many rows. `galen commit` would count a CSV's heading as a row."""
    thousands = max(FEWEST_OF_A_SHAPE, 1 << (rows - 1).bit_length()) >> 10
    return f"{thousands}k" if thousands < 1024 else f"{thousands >> 10}m"


class Hospital:
    """A committed table and its queries, in a folder of their own."""

    def __init__(self, galen, folder, rows):
        self.galen, self.folder, self.rows = galen, folder, rows
        self.dataset, self.parameters = folder / "dataset", folder / "parameters.bin"

    def commit(self, table):
        """Makes parameters where there are none, then commits and registers; says what that took."""
        shape_name = shape(self.rows)
        run([self.galen, "params", "--json", "--shape", shape_name, "--out", self.parameters])
        taken = run(
            [self.galen, "commit", "--json", "--shape", shape_name]
            + ["--table", table, "--registry", REGISTRY, "--out", self.dataset]
            + ["--hospital", "Comparison", "--dataset", "patients", "--release", "cms-11"]
        )
        for name, sql in QUERIES.items():
            query = [self.galen, "query", "--json", "--registry", REGISTRY, "--purpose", PURPOSE]
            run(query + ["--sql", sql, "--out", self.query(name)])
        return self.committed(taken)

    def committed(self, taken):
        """The figures of a commit."""
        said = json.loads(taken.output)
        public = ("manifest.json", "registration.json")
        return {
            "wall_s": taken.wall_s,
            "cpu_s": taken.cpu_s,
            "peak_mib": taken.peak_mib,
            "commit_s": said["commit_seconds"],
            "registration_s": said["registration_seconds"],
            "public_bytes": sum((self.dataset / name).stat().st_size for name in public),
        }

    def query(self, name):
        return self.folder / f"{name}.json"

    def forget_sums(self):
        """As on a dataset that nobody asked anything of, and that kept nothing of its registration."""
        for kept in (self.dataset / "secret" / "sums").iterdir():
            kept.unlink()

    def answer(self, name, path=None):
        """Proves and verifies once, in a process each; `path` is GALEN_SIMD of the prover."""
        bundle = self.folder / f"{name}-bundle.json"
        proof = [self.galen, "prove", "--json", "--dataset", self.dataset]
        taken = run(proof + ["--query", self.query(name), "--out", bundle], GALEN_SIMD=path)
        said = json.loads(taken.output)
        return {
            "query": name,
            "wall_s": taken.wall_s,
            "cpu_s": taken.cpu_s,
            "peak_mib": taken.peak_mib,
            "proving_s": said["report"]["proving_seconds"],
            "proof_bytes": proof_bytes(bundle),
            "sent_bytes": said["bundle_bytes"],
            "answer": rows(said["answer"]["rows"]),
        } | self.verify(name, bundle)

    def verify(self, name, bundle):
        """From public files, as a reviewer does it."""
        public = [
            *("--manifest", self.dataset / "manifest.json"),
            *("--registration", self.dataset / "registration.json"),
            *("--registry", REGISTRY, "--parameters", self.parameters),
        ]
        answer = ["--query", self.query(name), "--bundle", bundle]
        taken = run([self.galen, "verify", "--json", *public, *answer])
        said = json.loads(taken.output)["answers"][0]
        return {
            "verify_ms": said["verifying_seconds"] * 1e3,
            "verify_process_ms": taken.wall_s * 1e3,
        }


def proof_bytes(bundle):
    """The proof stands in a bundle as base64."""
    text = json.loads(bundle.read_text())["proof"]
    return len(text.rstrip("=")) * 3 // 4


def rows(cells):
    """An answer's rows as numbers, in the order of their first column."""
    return sorted([number(cell) for cell in row] for row in cells)


def number(cell):
    """A cell as a number; false and true are 0 and 1."""
    value = cell.get("value")
    if cell["type"] == "key" and value in ("false", "true"):
        return int(value == "true")
    if cell["type"] in ("integer", "key"):
        return int(value)
    raise Failed(f"a cell of type {cell['type']}: hidden by the release rule? Take more rows")
