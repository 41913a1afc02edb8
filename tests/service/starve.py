#!/usr/bin/env python3
"""One member presses, another is served all the same.

    starve.py [--connections N] [--seconds S]

A hospital's key sends signed answers with false proofs over many connections; meanwhile the steward publishes registries,
which wait for the same threads. None of these may be refused, and none may wait long."""

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median

from common.packages import need

need("cryptography")

from attacks.garbage import form
from common.client import Client
from common.service import Ledger, Service
from common.statements import blob, state
from common.study import REGISTRY, Study

BOUNDARY = "multipart/form-data; boundary=b"
PATIENCE = 10.0
PAUSE = 0.2


def false_answers(study):
    """Requests with answers of other numbers than those proven."""
    bundle = json.loads((study.folder / "second-bundle.json").read_text())
    [[true]] = bundle["cells"]
    for count in range(12, 40):
        if count == true:
            continue
        false = json.dumps({**bundle, "cells": [[count]]}).encode()
        statement = {**study.answer, "query": study.second, "bundle": blob(false)}
        body = form(state("answer", statement, study.hospital), [false])
        head = f"POST /v1/answers HTTP/1.1\r\nhost: x\r\ncontent-type: {BOUNDARY}\r\ncontent-length: {len(body)}\r\n\r\n"
        yield head.encode() + body


class Press:
    """Connections that send one false answer after another."""

    def __init__(self, address, requests, connections):
        self.address, self.requests, self.connections = address, requests, connections
        self.codes, self.ends = Counter(), False
        self.thread = threading.Thread(target=lambda: asyncio.run(self.work()))
        self.thread.start()

    def end(self):
        self.ends = True
        self.thread.join()

    async def work(self):
        await asyncio.gather(*(self.one(n) for n in range(self.connections)))

    async def one(self, number):
        while not self.ends:
            reader, writer = await asyncio.open_connection(*self.address)
            try:
                while not self.ends and await self.ask(reader, writer, number):
                    number += 1
            except (OSError, asyncio.IncompleteReadError):
                self.codes["cut"] += 1
            writer.close()

    async def ask(self, reader, writer, number):
        """One request; whether the connection stays."""
        writer.write(self.requests[number % len(self.requests)])
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        self.codes[json.loads(await reader.readexactly(length))["type"].rpartition("/")[2]] += 1
        return "connection: close" not in head


def registries(study, count):
    """Signed registries of the steward's, as request bodies."""
    for number in range(count):
        toml = study.folder / f"trial{number}.toml"
        toml.write_text(REGISTRY.replace('"trial"', f'"trial{number}"'))
        signed = study.folder / f"trial{number}.json"
        study.galen("publish", "registry", "--registry", toml, "--key", "../steward.key", "--out", signed)
        yield form(signed.read_bytes(), [toml.read_bytes()])


def publish(address, body):
    """The answer to a registry, and its time."""
    client, began = Client(address), time.monotonic()
    answer = client.post("/v1/registries", body, BOUNDARY)
    client.close()
    return answer, time.monotonic() - began


def serve(service, study, chosen):
    """What the steward saw while it was pressed."""
    bodies = list(registries(study, int(chosen.seconds / PAUSE)))
    press = Press(service.address, list(false_answers(study)), chosen.connections)
    time.sleep(2)
    seen = []
    for body in bodies:
        seen.append(publish(service.address, body))
        time.sleep(PAUSE)
    press.end()
    print(f"false answers: {dict(press.codes)}")
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=250)
    parser.add_argument("--seconds", type=float, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="galen-starve-") as folder:
        ledger = Ledger(Path(folder))
        with Service(ledger) as service:
            service.ready()
            study = Study(ledger).make().record(service)
            seen = serve(service, study, chosen)
    times = sorted(seconds for _, seconds in seen)
    refused = [answer for answer, _ in seen if answer.status != 201]
    print(f"the steward: {len(seen)} registries, {len(refused)} refused; "
          f"median {median(times):.3f} s, longest {times[-1]:.3f} s")
    for answer in refused[:10]:
        print(f"FOUND: {answer.status} {answer.body.decode()}")
    sys.exit(bool(refused) or times[-1] > PATIENCE)


if __name__ == "__main__":
    main()
