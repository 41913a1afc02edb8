"""A small study on a served ledger: registry, parameter set, hospital, dataset, two queries, an answer to one."""

import os
import subprocess

from .client import Client
from .service import galen
from .statements import Key, member

REGISTRY = """\
[registry]
name = "trial"
version = 1
patient_id = "patient_id"

[[purpose]]
code = "DUO:0000042"
label = "general research use"
column = "consent_research"

[[column]]
name = "age"
type = "number"
min = 18
max = 110
"""


class Study:
    """Its files in a folder, and the keys of its members. `record` puts it on a ledger."""

    def __init__(self, ledger):
        self.ledger, self.folder = ledger, ledger.folder / "study"
        self.hospital, self.researcher = Key(), Key()
        self.folder.mkdir()
        self.hospital.write(self.folder / "hospital.key")
        self.researcher.write(self.folder / "researcher.key")

    def make(self):
        (self.folder / "registry.toml").write_text(REGISTRY)
        rows = "".join(f"p{i},true,{20 + i}\n" for i in range(40))
        (self.folder / "table.csv").write_text("patient_id,consent_research,age\n" + rows)
        self.galen("commit", "--table", "table.csv", "--registry", "registry.toml", "--hospital", "H",
                   "--dataset", "d", "--key", "hospital.key", "--out", "dataset")
        self.galen("params", "--out", "parameters.bin")
        self.query("first", "SELECT count(*) FROM trial")
        self.query("second", "SELECT count(*) FROM trial WHERE age > 30")
        return self

    def shown(self, service, collection):
        """The first statement of a collection."""
        return Client(service.address).get(f"/v1/{collection}").json()["items"][0]["statement"]

    def query(self, name, sql):
        self.galen("query", "--registry", "registry.toml", "--purpose", "DUO:0000042", "--sql", sql, "--out", f"{name}.json")
        self.galen("prove", "--dataset", "dataset", "--query", f"{name}.json", "--out", f"{name}-bundle.json")

    def record(self, service):
        """Everything but an answer to the second query."""
        client, steward = Client(service.address), self.ledger.steward
        for key, name, role in ((self.hospital, "H", "hospital"), (self.researcher, "R", "researcher")):
            client.post("/v1/members", member(steward, name, key, role))
        self.publish(service, "../steward.key", "registry", "--registry", "registry.toml")
        self.publish(service, "../steward.key", "parameters", "--parameters", "parameters.bin")
        self.publish(service, "hospital.key", "dataset", "--dataset", "dataset")
        for name in ("first", "second"):
            self.publish(service, "researcher.key", "query", "--query", f"{name}.json")
        self.publish(service, "hospital.key", "answer", "--dataset", "dataset", "--bundle", "first-bundle.json")
        self.statement, self.answer = self.shown(service, "datasets"), self.shown(service, "answers")
        self.registration = client.get(f"/v1/blobs/{self.statement['registration']['sha256']}").body
        self.second = client.get("/v1/queries?limit=2").json()["items"][1]["digest"]
        client.close()
        return self

    def publish(self, service, key, *what):
        self.galen("publish", *what, "--key", key, "--to", service.url)

    def galen(self, *arguments):
        run = {"cwd": self.folder, "env": {**os.environ, "GALEN_CACHE": str(self.folder / "cache")}}
        done = subprocess.run([galen(), *arguments], capture_output=True, check=False, text=True, **run)
        if done.returncode:
            raise RuntimeError(f"galen {' '.join(arguments)}: {done.stderr}")
