"""Signed statements: DSSE envelopes as the ledger takes them."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Key:
    """An ed25519 key."""

    def __init__(self, seed=None):
        self.secret = Ed25519PrivateKey.from_private_bytes(seed) if seed else Ed25519PrivateKey.generate()
        public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = public.hex()
        self.id = sha256(public)

    @classmethod
    def read(cls, path):
        return cls(bytes.fromhex(path.read_text().strip()))

    def write(self, path):
        """As `galen key --new` does."""
        seed = self.secret.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        path.write_text(seed.hex() + "\n")
        path.chmod(0o600)


def sign(payload_type, payload, *keys):
    """An envelope over any payload."""
    message = f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload
    signatures = [{"keyid": k.id, "sig": base64.b64encode(k.secret.sign(message)).decode()} for k in keys]
    payload = base64.b64encode(payload).decode()
    return compact({"payloadType": payload_type, "payload": payload, "signatures": signatures})


def state(kind, statement, *keys):
    """A signed statement of a kind."""
    return sign(f"application/vnd.galen.{kind}.v1+json", compact(statement), *keys)


def blob(data):
    return {"sha256": sha256(data), "bytes": len(data)}


def log_key(origin, key):
    """A log's public key, as c2sp.org/signed-note has it."""
    typed = b"\x01" + bytes.fromhex(key.public)
    number = sha256(origin.encode() + b"\n" + typed)[:8]
    return f"{origin}+{number}+{base64.b64encode(typed).decode()}"


def consortium(log, steward):
    statement = {"log": log, "version": 1, "name": "Test", "threshold": 1, "stewards": [steward.public]}
    return state("consortium", statement, steward)


def member(steward, name, key, role="researcher"):
    return state("member", {"name": name, "role": role, "key": key.public}, steward)


def revocation(steward, key):
    return state("revocation", {"key": key.public, "reason": "lost"}, steward)
