"""Bodies that are too large, malformed, of the wrong type."""

import json
import socket

from common.statements import Key, member, sha256, sign, state

JSON_LIMIT = 128 << 10


def attack(target):
    too_large(target)
    unread(target)
    files(target)
    malformed(target)
    types(target)
    edges(target)


def too_large(target):
    """Whole bodies beyond the limits of entries and of JSON."""
    steward = target.ledger.steward
    entry = member(steward, "x" * 60_000, Key())
    target.expect("an entry of 80 kB", target.post("/v1/members", entry), 413, "too-large")
    target.expect("JSON of 200 kB", target.post("/v1/members", entry + b" " * 120_000), 413, "too-large")


def begin(target, head, body):
    """Sends a part of a body and waits for an answer; `None` if the service wants more."""
    with socket.create_connection(target.address, timeout=5) as connection:
        try:
            connection.sendall(head.encode() + body)
            answered = connection.recv(65_536)
        except TimeoutError:
            return None
        except OSError:
            return b""
    return answered


def unread(target):
    """A body beyond its limit is refused when the limit is reached, not when it has all been read."""
    part = b"x" * (4 * JSON_LIMIT)
    heads = {
        "JSON that says it is of 2 MB": "content-length: 2000000\r\n\r\n",
        "JSON without a length": "transfer-encoding: chunked\r\n\r\n" + f"{10 * len(part):x}\r\n",
    }
    for name, rest in heads.items():
        head = f"POST /v1/members HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{rest}"
        answered = begin(target, head, part)
        if answered is None:
            target.find(f"{name}: {len(part) // 1024} KiB were read and more is waited for; the limit is 128 KiB")
        elif b" 413 " not in answered[:20]:
            target.find(f"{name}: {answered[:80]} instead of 413")


def chunks(data, size=65_536):
    return (data[at:at + size] for at in range(0, len(data), size))


def files(target):
    """Files at the limit and beyond it, with and without a length; under another name."""
    fits, over, far = (bytes(n) for n in (target.limit, target.limit + 1, target.limit + (1 << 20)))
    target.expect("a file at the limit", target.put(sha256(fits), fits), 202)
    target.expect("a file one byte over the limit", target.put(sha256(over), over), 413, "too-large")
    target.expect("a file far over the limit", target.put(sha256(far), far), 413, "too-large")
    target.expect("the same without a length", target.put(sha256(far), chunks(far)), 413, "too-large")
    target.expect("a file of another digest", target.put(sha256(b"a"), b"b"), 422, "wrong-file")
    target.expect("a file of no digest", target.put("abc", b"b"), 404, "not-found")


def malformed(target):
    """What is no envelope, or no statement."""
    steward, key = target.ledger.steward, Key()
    good = member(steward, "somebody", key)
    wire = json.loads(good)
    statement = {"name": "somebody", "role": "researcher", "key": key.public}
    bodies = {
        "nothing": b"", "a brace": b"{", "a list": b"[]", "null": b"null", "no UTF-8": b"\xff\xfe{}", "NUL": b"\0" * 100,
        "deep nesting": b"[" * 60_000, "deep nesting in a member": good[:-1] + b',"x":' + b"[" * 60_000,
        "half": good[: len(good) // 2], "twice": good + good, "a member twice": good[:-1] + b',"payload":"e30="}',
        "an unknown member": json.dumps({**wire, "extra": 1}).encode(),
        "no signature": json.dumps({**wire, "signatures": []}).encode(),
        "a signature twice": json.dumps({**wire, "signatures": wire["signatures"] * 2}).encode(),
        "17 signatures": json.dumps({**wire, "signatures": wire["signatures"] * 17}).encode(),
        "base64 without padding": json.dumps({**wire, "payload": wire["payload"].rstrip("=") + "a"}).encode(),
        "a number for a text": json.dumps({**wire, "payload": 1}).encode(),
        "an unknown field of the statement": state("member", {**statement, "extra": 1}, steward),
        "a missing field of the statement": state("member", {"name": "somebody"}, steward),
        "an unknown role": state("member", {**statement, "role": "king"}, steward),
        "an unknown kind": state("coronation", statement, steward),
        "an unknown payload type": sign("text/plain", b"hello", steward),
        "a payload that is no JSON": sign("application/vnd.galen.member.v1+json", b"\xff", steward),
        "a name of control characters": state("member", {**statement, "name": "a\0b"}, steward),
        "a name that is empty": state("member", {**statement, "name": ""}, steward),
        "a key that is too short": state("member", {**statement, "key": "ab"}, steward),
    }
    for name, body in bodies.items():
        target.expect(f"malformed: {name}", target.post("/v1/members", body), 400)
    for key in ("00" * 32, "01" + "00" * 31, "ff" * 32):
        weak = state("member", {**statement, "key": key}, steward)
        target.expect("a key that is none", target.post("/v1/members", weak), 422, "not-a-key")


def types(target):
    """Wrong content types, methods, parameters, multipart forms."""
    good = member(target.ledger.steward, "somebody", Key())
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream", ""):
        answer = target.post("/v1/members", good, kind)
        target.expect(f"of type {kind!r}", answer, 415, "unsupported-media-type")
    target.expect("an unknown parameter", target.post("/v1/members?force=1", good), 400, "bad-request")
    target.expect("an unknown wait", target.post("/v1/members?wait=forever", good), 400, "bad-request")
    target.expect("an unknown collection", target.post("/v1/kings", good), 404, "not-found")
    deleted = target.once("DELETE", "/v1/members", None, {})
    target.expect("DELETE", deleted, 405, "method-not-allowed")
    form = "multipart/form-data; boundary=b"
    for name, body in {
        "nothing": b"", "no end": b"--b\r\n", "no name": b"--b\r\n\r\nx\r\n--b--\r\n",
        "another first part": b'--b\r\ncontent-disposition: form-data; name="blob"\r\n\r\nx\r\n--b--\r\n',
    }.items():
        target.expect(f"a form: {name}", target.post("/v1/members", body, form), 400, "bad-request")
    target.expect("a form without a boundary", target.post("/v1/members", good, "multipart/form-data"), 400, "bad-request")


def edges(target):
    """Numbers at the edge of their types and texts that databases do not take: nothing that the service fails at."""
    paths = [f"/v1/entries/{n}{rest}" for n in (2**63 - 1, 2**63, 2**64 - 1, 2**64, -1) for rest in ("", "/proof")]
    paths += [f"/v1/queries?after={n}" for n in (2**63 - 1, 2**63, 2**64 - 1, 2**64, -1)]
    paths += [f"/v1/queries{rest}{text}" for rest in ("/", "?member=", "?query=") for text in ("%00", "%ff", "%F0%9F%98%80")]
    paths += ["/v1/queries/%00/results", "/v1/blobs/%00", "/problems/%00", "/tile/%00", "/tile/0/x999/x999/x999/999"]
    for path in paths:
        target.look(path, target.once("GET", path, None, {}))
    unpublished = target.once("GET", "/v1/entries/999999/proof", None, {})
    target.expect("the proof of an entry that is not there", unpublished, 404, "not-found")
