"""Checkpoints (c2sp.org/tlog-checkpoint), entry bundles (c2sp.org/tlog-tiles) and the tree (RFC 6962)."""

import base64
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256


@dataclass(frozen=True)
class Head:
    size: int
    root: bytes


class Verifier:
    """The log's key, as `<origin>+<id>+<key>`."""

    def __init__(self, encoded):
        self.origin, id_, key = encoded.split("+", 2)
        self.id = bytes.fromhex(id_)
        key = base64.b64decode(key)
        if key[0] != 1:
            raise ValueError("not an ed25519 key")
        self.key = Ed25519PublicKey.from_public_bytes(key[1:])

    def open(self, note):
        """The head that a checkpoint states; raises if the log's signature does not hold."""
        text, signatures = note.split(b"\n\n", 1)
        text += b"\n"
        lines = text.decode().split("\n")
        if lines[0] != self.origin:
            raise ValueError(f"a checkpoint of {lines[0]}")
        prefix = f"\u2014 {self.origin} ".encode()
        for line in signatures.splitlines():
            if line.startswith(prefix):
                signature = base64.b64decode(line[len(prefix):])
                if signature[:4] == self.id:
                    self.key.verify(signature[4:], text)
                    return Head(int(lines[1]), base64.b64decode(lines[2]))
        raise ValueError("the log has not signed this checkpoint")


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree: the roots of its full subtrees, largest first."""

    def __init__(self):
        self.size, self.peaks = 0, []

    def push(self, entry):
        self.peaks.append(hashlib.sha256(b"\x00" + entry).digest())
        self.size += 1
        full = self.size
        while full % 2 == 0:
            right = self.peaks.pop()
            self.peaks.append(node(self.peaks.pop(), right))
            full //= 2

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root


def bundle_path(number, width):
    """`/tile/entries/x001/234[.p/W]`."""
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.insert(0, f"x{number % 1000:03}")
    partial = f".p/{width}" if width < WIDTH else ""
    return "/tile/entries/" + "/".join(parts) + partial


def parse_bundle(data):
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        entries.append(data[at + 2:at + 2 + length])
        at += 2 + length
    if at != len(data):
        raise ValueError("a torn bundle")
    return entries


def read_entries(client, size):
    """Every entry under a head of this size, from the served bundles."""
    for number in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - number * WIDTH)
        answer = client.get(bundle_path(number, width))
        entries = parse_bundle(answer.body) if answer.status == 200 else []
        if len(entries) != width:
            raise ValueError(f"bundle {number}: status {answer.status}, {len(entries)} entries of {width}")
        yield from entries
