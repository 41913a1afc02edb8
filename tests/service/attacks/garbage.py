"""Thousands of bundles and other documents that are wrong: random bytes, and real ones with something changed.

Most are signed by a member who may submit them, so that they get past the signature and to what reads them."""

import copy
import json
import random
from concurrent.futures import ThreadPoolExecutor

from common.client import Client, Cut, Refused
from common.statements import blob, sha256, state

THREADS = 6


class Documents:
    """The real ones, and statements about changed ones."""

    def __init__(self, target):
        study = target.study
        names = "second-bundle.json", "parameters.bin", "registry.toml", "dataset/manifest.json"
        self.bundle, self.parameters, self.registry, self.manifest = ((study.folder / n).read_bytes() for n in names)
        self.steward, self.hospital = target.ledger.steward, study.hospital
        self.registration = study.registration
        self.answer = {**study.answer, "query": study.second}
        self.dataset = study.statement

    def about_bundle(self, bundle):
        return "answers", state("answer", {**self.answer, "bundle": blob(bundle)}, self.hospital), [bundle]

    def about_registry(self, toml):
        named = {"registry": "trial v1", "digest": sha256(toml), "toml": blob(toml)}
        return "registries", state("registry", named, self.steward), [toml]

    def about_parameters(self, data):
        named = {"shape": "16k", "insecure": True, "verifying": blob(data)}
        return "parameter-sets", state("parameter-set", named, self.steward), [data]

    def about_dataset(self, manifest, registration):
        named = {**self.dataset, "epoch": 2, "digest": sha256(manifest), "manifest": blob(manifest),
                 "registration": blob(registration)}
        return "datasets", state("dataset", named, self.hospital), [manifest, registration]


def noise(most=4_096):
    return random.randbytes(random.randrange(1, most))


def flip(data):
    """A few bytes changed, cut out, put in, or the rest cut off; never the same again."""
    before = data
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(data) or 1)
        data = random.choice((
            data[:at] + bytes(b ^ 1 << random.randrange(8) for b in data[at:at + 1]) + data[at + 1:],
            data[:at] + data[at + random.randrange(1, 64):],
            data[:at] + noise(64) + data[at:],
            data[:at + 1],
        ))
    return data if data != before else noise()


def unfit(parameters):
    """Of another length, or another beginning. A changed point may well be one of the curve, and its set a set."""
    changed = flip(parameters)
    return changed if len(changed) != len(parameters) else flip(parameters[:40]) + parameters[40:] + b"\0"


ODD = (None, True, -1, 0, 1.5, 1e308, 2**63, 2**64, 10**40, "", "x", "ff" * 32, "A" * 5_000, "\0", [], {}, [[]] * 50)


def places(value):
    """Every container in a JSON value with each of its keys."""
    if isinstance(value, (dict, list)):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def change(data):
    """One or two places of a JSON document changed; never to the same document."""
    document = json.loads(data)
    for _ in range(random.randrange(1, 3)):
        if not (all_places := list(places(document))):
            break
        container, key = random.choice(all_places)
        if random.random() < 0.2:
            del container[key]
        else:
            container[key] = other(container[key], all_places)
    changed = json.dumps(document).encode()
    return changed if document != json.loads(data) else noise()


def other(value, all_places):
    """Another value in its place: an odd one, a list of it, one from elsewhere in the document, some letters changed."""
    container, key = random.choice(all_places)
    choices = [random.choice(ODD), [value] * random.choice((2, 100)), container[key]]
    if isinstance(value, str):
        choices.append(flip(value.encode()).decode("latin-1"))
    return copy.deepcopy(random.choice(choices))


def form(envelope, files):
    """A statement with its files as multipart/form-data."""
    parts = [b'--b\r\ncontent-disposition: form-data; name="statement"\r\n\r\n' + envelope + b"\r\n"]
    parts += [b'--b\r\ncontent-disposition: form-data; name="blob"; filename="f"\r\n\r\n' + f + b"\r\n" for f in files]
    return b"".join(parts) + b"--b--\r\n"


def kinds(d, client):
    """What is sent, each with its share of a hundred or so."""
    return {
        lambda: signed(client, *d.about_bundle(change(d.bundle))): 40,
        lambda: signed(client, *d.about_bundle(flip(d.bundle))): 12,
        lambda: signed(client, *d.about_bundle(noise())): 12,
        lambda: signed(client, *d.about_registry(random.choice((flip(d.registry), noise())))): 8,
        lambda: signed(client, *d.about_dataset(change(d.manifest), d.registration)): 8,
        lambda: signed(client, *d.about_dataset(d.manifest, change(d.registration))): 6,
        lambda: signed(client, *d.about_parameters(unfit(d.parameters))): 4,
        lambda: [client.post("/v1/answers", random.choice((noise(), change(d.about_bundle(d.bundle)[1]))))]: 6,
        lambda: [unsigned_file(client)]: 8,
    }


def unsigned_file(client):
    data = noise(20_000)
    name = sha256(data) if random.random() < 0.5 else sha256(b"another")
    return client.request("PUT", f"/v1/blobs/{name}", data, {"content-type": "application/octet-stream"})


def signed(client, collection, envelope, files):
    """With its files in one request, or after them."""
    if random.random() < 0.5:
        return [client.post(f"/v1/{collection}", form(envelope, files), "multipart/form-data; boundary=b")]
    kind = {"content-type": "application/octet-stream"}
    before = [client.request("PUT", f"/v1/blobs/{sha256(f)}", f, kind) for f in files]
    return [*before, client.post(f"/v1/{collection}", envelope)]


def attack(target, count):
    documents = Documents(target)

    def work(share):
        client = Client(target.address, fresh=True)
        pieces = kinds(documents, client)
        for piece in random.choices(list(pieces), pieces.values(), k=share):
            try:
                for answer in piece():
                    target.look("garbage", answer)
                    if answer.status in (200, 201):
                        target.find(f"garbage was recorded: {answer.body[:200]}")
            except (Refused, Cut) as why:
                target.find(f"garbage: {why!r}")
        client.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, [count // THREADS] * THREADS))


def aftermath(target):
    """The threads that check documents still live: the true bundle is taken."""
    documents = Documents(target)
    _, envelope, files = documents.about_bundle(documents.bundle)
    answer = target.post("/v1/answers", form(envelope, files), "multipart/form-data; boundary=b")
    target.expect("the true bundle after all the false ones", answer, 201)
