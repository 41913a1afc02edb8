"""Writes the served OpenAPI description with examples of what is on the log, so that paths lead somewhere.

    describe.py FILE"""

import json
import os
import sys
import urllib.request
from pathlib import Path

SERVICE = os.environ["SERVICE_URL"]


def get(path):
    with urllib.request.urlopen(SERVICE + path) as answer:
        return json.load(answer)


def examples():
    """Values that name something, by parameter; an envelope that is recorded already."""
    query = get("/v1/queries")["items"][0]
    answer = get("/v1/answers")["items"][0]
    envelope = json.loads(get(answer["entry"])["envelope"])
    values = {
        "collection": ["queries", "answers"],
        "digest": [query["digest"], answer["digest"]],
        "index": [query["index"], answer["index"]],
        "sha256": [answer["digest"]],
        "member": [query["member"]],
        "query": [query["digest"]],
    }
    return values, envelope


def main():
    description = get("/openapi.json")
    values, envelope = examples()
    for path in description["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                known = values.get(parameter["name"], ())
                parameter["examples"] = {f"recorded-{n}": {"value": value} for n, value in enumerate(known)}
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                content["application/json"]["example"] = envelope
    Path(sys.argv[1]).write_text(json.dumps(description))


if __name__ == "__main__":
    main()
