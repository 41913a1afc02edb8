"""Signatures that do not count, and envelopes that come again or go astray."""

import base64
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from common.statements import Key, consortium, member, revocation, state

ORDER = 2**252 + 27742317777372353535851937790883648493


def attack(target):
    signatures(target)
    roles(target)
    revoked(target)
    replays(target)
    at_once(target)


def with_signature(envelope, change):
    wire = json.loads(envelope)
    signature = base64.b64decode(wire["signatures"][0]["sig"])
    wire["signatures"][0]["sig"] = base64.b64encode(change(signature)).decode()
    return json.dumps(wire).encode()


def shifted(signature):
    """The same signature with a scalar that is not reduced."""
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


def signatures(target):
    steward, stranger = target.ledger.steward, Key()
    good = member(steward, "forged", Key())
    target.expect("an unknown key", target.post("/v1/members", member(stranger, "x", Key())), 403, "unknown-key")
    both = state("member", {"name": "x", "role": "researcher", "key": Key().public}, steward, stranger)
    target.expect("an unknown key beside a steward's", target.post("/v1/members", both), 403, "unknown-key")
    forgeries = {
        "a flipped bit": lambda s: bytes([s[0] ^ 1]) + s[1:],
        "zeros": lambda s: bytes(64),
        "a scalar that is not reduced": shifted,
    }
    for name, change in forgeries.items():
        answer = target.post("/v1/members", with_signature(good, change))
        target.expect(f"a signature: {name}", answer, 403, "bad-signature")
    wire = json.loads(good)
    other = json.loads(member(steward, "another", Key()))
    swapped = json.dumps({**wire, "payload": other["payload"]}).encode()
    target.expect("another's payload", target.post("/v1/members", swapped), 403, "bad-signature")


def roles(target):
    study, steward = target.study, target.ledger.steward
    by_member = member(study.researcher, "x", Key())
    target.expect("a member admits a member", target.post("/v1/members", by_member), 403, "not-a-steward")
    query = {"query": json.loads((study.folder / "second.json").read_text())}
    target.expect("a hospital's query", target.post("/v1/queries", state("query", query, study.hospital)), 403, "wrong-role")
    again = target.post("/v1/queries", state("query", query, study.researcher) + b" ")
    target.expect("a query in another spelling", again, 409, "already-registered")
    usurper = Key()
    target.expect("a second first consortium", target.post("/v1/consortia", consortium(target.ledger.log, usurper)), 403, "first-consortium")
    next_ = {"log": target.ledger.log, "version": 2, "name": "T", "threshold": 1, "stewards": [usurper.public]}
    coup = target.post("/v1/consortia", state("consortium", next_, usurper))
    target.expect("stewards who admit themselves", coup, 403, "too-few-signatures")
    target.expect("a consortium too far", target.post("/v1/consortia", state(
        "consortium", {**next_, "version": 9}, usurper, steward)), 409, "consortium-version")


def revoked(target):
    """A key that was revoked signs nothing new; what it signed before stays."""
    steward, key = target.ledger.steward, Key()
    question = json.loads((target.study.folder / "first.json").read_text())
    early = state("query", {"query": {**question, "title": "before"}}, key)
    late = state("query", {"query": {**question, "title": "after"}}, key)
    target.expect("a member", target.post("/v1/members", member(steward, "Lost", key)), 201)
    index = target.expect("a query", target.post("/v1/queries", early), 201).json()["index"]
    target.expect("a revocation", target.post("/v1/revocations", revocation(steward, key)), 201)
    target.expect("a revoked key", target.post("/v1/queries", late), 403, "revoked-key")
    again = target.expect("what it signed before", target.post("/v1/queries", early), 200)
    if again.status == 200 and again.json()["index"] != index:
        target.find("a replay of a revoked key's entry has another index")
    target.expect("a second revocation", target.post("/v1/revocations", revocation(steward, key) + b"\n"), 409)
    back = target.post("/v1/members", member(steward, "Lost", key, "hospital"))
    target.expect("a revoked key comes back", back, 409, "already-registered")


def replays(target):
    statement = member(target.ledger.steward, "replayed", Key())
    first = target.expect("a member", target.post("/v1/members", statement), 201).json()
    for _ in range(20):
        again = target.expect("a replay", target.post("/v1/members", statement), 200).json()
        if again["index"] != first["index"] or not again["duplicate"]:
            target.find(f"a replay got {again}")
    for collection in ("queries", "answers", "revocations", "consortia"):
        astray = target.post(f"/v1/{collection}", statement)
        target.expect("a statement of another kind", astray, 422, "another-kind")


def at_once(target):
    """One envelope from many at the same time is one entry; one key in many envelopes too."""
    with ThreadPoolExecutor(32) as pool:
        for round_ in range(20):
            statement = member(target.ledger.steward, f"at once {round_}", Key())
            key = Key()
            rivals = [member(target.ledger.steward, f"rival {round_} {n}", key) for n in range(32)]
            for name, statements, second in (("one envelope", [statement] * 32, 200), ("one key", rivals, 409)):
                answers = list(pool.map(lambda s: target.post("/v1/members", s), statements))
                race(target, name, answers, second)


def race(target, name, answers, second):
    """One is recorded; what the others get."""
    for answer in answers:
        target.look("at once", answer)
    statuses = Counter(a.status for a in answers)
    if statuses != {201: 1, second: 31}:
        target.find(f"{name} 32 times at once: statuses {sorted(statuses)} instead of 201 once and {second}")
    if len({a.json()["index"] for a in answers if a.status < 300}) != 1:
        target.find(f"{name} 32 times at once has several indices")
