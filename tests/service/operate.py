#!/usr/bin/env python3
"""Runs every command of docs/operate.md in its order, and checks what lies in deploy/ against a service and its tools.

    operate.py

`systemctl` is a stand-in that starts and stops what deploy/galen.service names."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.packages import SKIPPED, need

need("cryptography")

from common.buckets import free_port
from common.client import Client, Refused
from common.service import ROOT, Ledger, Service, galen
from common.statements import Key, member, sha256

DEPLOY = ROOT / "deploy"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SYSTEMCTL = """\
#!/usr/bin/env bash
set -eu
[ "$2" = galen ]
case $1 in
    start)
        set -a; . "$ETC/serve.env"; set +a
        line=$(sed -n 's/^ExecStart=[^ ]*galen //p' "$UNIT")
        galen $line >> "$ETC/service.log" 2>&1 &
        echo $! > "$ETC/pid" ;;
    stop)
        pid=$(cat "$ETC/pid")
        kill -TERM "$pid"
        while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
        if [ -e "$ETC/on-stop" ]; then bash "$ETC/on-stop"; fi ;;
    *) exit 2 ;;
esac
"""

# What the section on halts is about: a torn tile, and a log that has halted for it.
HALT = """\
import os, pathlib, sqlite3
data = pathlib.Path(os.environ["DATA"])
tile = next((data / "files/tile/0").rglob("*/*"))
tile.write_bytes(b"torn")
log = sqlite3.connect(data / "ledger.db")
log.execute("UPDATE log_state SET halted = 'a tile is there with other contents'")
log.commit()
"""


def run_book(folder):
    """The blocks of docs/operate.md in one shell."""
    blocks = BLOCK.findall((ROOT / "docs" / "operate.md").read_text())
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "systemctl").write_text(SYSTEMCTL)
    (bin_ / "systemctl").chmod(0o755)
    (bin_ / "galen").symlink_to(galen())
    listen = f"127.0.0.1:{free_port()}"
    (folder / "halt.py").write_text(HALT)
    script = ["set -euo pipefail", "trap 'kill $(jobs -p) $(cat $ETC/pid) 2> /dev/null || true' EXIT"]
    halts = 0
    for block in blocks:
        if "unhalt" in block:
            halts += 1
            script.append(f'echo "{sys.executable} {folder}/halt.py; rm $ETC/on-stop" > $ETC/on-stop')
        script += [f"printf '\\n== %s\\n' {json.dumps(block.splitlines()[0])} >&2", block]
    env = {
        **os.environ,
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "GALEN_LISTEN": listen,
        "GALEN_LAME_DUCK": "0",
        "URL": f"http://{listen}",
        "UNIT": str(DEPLOY / "galen.service"),
        **{name: str(folder / name.lower()) for name in ("ETC", "DATA", "BACKUP", "MIRROR")},
    }
    done = subprocess.run(["bash", "-c", "\n".join(script)], env=env, cwd=folder, timeout=300, check=False)
    found = []
    if done.returncode != 0:
        found.append(f"the run book ended with {done.returncode}")
    if halts != 1 or len(blocks) < 12:
        found.append(f"{len(blocks)} blocks of commands, {halts} of them about a halt")
    return found


def metrics(folder):
    """The metrics that alerts and dashboard name are there."""
    ledger = Ledger(folder / "metrics")
    with Service(ledger) as service:
        service.ready()
        client = Client(service.address)
        client.post("/v1/members?wait=published", member(ledger.steward, "one", Key()))
        there = set(re.findall(r"^(galen_\w+)", client.get("/metrics").body.decode(), re.MULTILINE))
    named = set()
    for file in ("alerts.yml", "alerts-test.yml", "grafana.json"):
        text = (DEPLOY / file).read_text()
        named |= set(re.findall(r"\bgalen_(?:requests|request|statements|verification|log)_\w+", text))
    return [f"deploy/ names {name}, which /metrics has not" for name in sorted(named - there)]


def dashboard():
    panels = json.loads((DEPLOY / "grafana.json").read_text())["panels"]
    ids = {panel["id"] for panel in panels}
    return [] if len(ids) == len(panels) > 0 else ["deploy/grafana.json has no panels, or two of one id"]


def have(program, package):
    """Whether a program is there, or can be had."""
    if shutil.which(program):
        return True
    apt = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    for command in (["apt-get", "update", "-qq"], apt):
        if shutil.which("apt-get") is None or subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            return False
    return shutil.which(program) is not None


def rules():
    found = []
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts-test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=DEPLOY, capture_output=True, text=True, check=False)
        if done.returncode:
            found.append(f"promtool {' '.join(command)}: {done.stdout}{done.stderr}")
    return found


@contextlib.contextmanager
def nginx(own, config, changes):
    """nginx with a configuration of deploy/, adapted; its address."""
    port = free_port()
    text = (DEPLOY / config).read_text()
    for old, new in {**changes, "127.0.0.1:8443": f"127.0.0.1:{port}", "127.0.0.1:8444": f"127.0.0.1:{port}"}.items():
        text = text.replace(old, new)
    own.mkdir()
    user = "user root;" if os.getuid() == 0 else ""
    paths = "".join(f"{kind}_temp_path {own}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"{user} daemon off; pid {own}/pid; events {{}} http {{ access_log off; {paths}\n{text}\n}}"
    (own / "nginx.conf").write_text(whole)
    process = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(own / "nginx.conf")])
    try:
        address = ("127.0.0.1", port)
        answers(Client(address))
        yield address
    finally:
        process.terminate()
        process.wait(10)


def proxy(folder):
    """A mirror and a client through nginx: files from the disk, all else from the service. Then without the service."""
    ledger = Ledger(folder / "proxied")
    files = ledger.folder / "data" / "files"
    with Service(ledger) as service:
        service.ready()
        key = service.encoded_key
        changes = {"127.0.0.1:8080": "{}:{}".format(*service.address), "/var/lib/galen/files": str(files)}
        with nginx(folder / "nginx", "nginx.conf", changes) as address:
            found = through(address, ledger, service, folder)
        service.terminate()
    for name, root in (("files", files), ("mirror", folder / "copy")):
        with nginx(folder / f"nginx-{name}", "nginx-files.conf", {"/srv/ledger": str(root)}) as address:
            found += alone(address, key, root, folder / f"copy-of-{name}")
    return found


def mirror_from(address, data, key):
    """A mirror's findings."""
    run = [galen(), "mirror", "http://{}:{}".format(*address), "--data", str(data), "--log-key", key]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    return [f"a mirror through nginx: {done.stdout}{done.stderr}"] if done.returncode else []


def alone(address, key, root, copy):
    """A log from its files: a mirror is whole, and nothing else is handed out."""
    found = mirror_from(address, copy, key)
    client = Client(address)
    if (copy / "checkpoint").read_bytes() != (root / "checkpoint").read_bytes():
        found.append("a mirror of the files alone has another checkpoint")
    (root / "lock").touch()
    for path in ("/lock", "/staging/x", "/blobs/", "/replaced/checkpoint", "/../lock", "/tile/0/009"):
        if client.get(path).status not in (400, 404):
            found.append(f"nginx hands out {path}")
    for path, keep in (("/checkpoint", "no-cache"), ("/tile/0/000", "immutable")):
        if keep not in client.get(path).headers.get("cache-control", ""):
            found.append(f"{path} may be kept for another time than it should")
    return found


def answers(client):
    """Waits until somebody listens."""
    for _ in range(100):
        try:
            return client.get("/readyz")
        except Refused:
            time.sleep(0.1)
    raise RuntimeError("nginx does not listen")


def through(address, ledger, service, folder):
    found = []
    client = Client(address)
    direct = Client(service.address)
    file = b"a file beside the log"
    for n in range(300):
        last = n == 299
        # nginx limits what one client sends.
        by = client if last else direct
        answer = by.post("/v1/members" + ("?wait=published" if last else ""), member(ledger.steward, f"m {n}", Key()))
        if answer.status != 201:
            found.append(f"a statement{' through nginx' if last else ''}: {answer.status}")
            break
    put = client.request("PUT", f"/v1/blobs/{sha256(file)}", file)
    if put.status != 202:
        found.append(f"an upload through nginx: {put.status}")
    for path in ("/checkpoint", "/tile/0/000", "/tile/entries/000", "/v1/log", "/openapi.json"):
        one, other = client.get(path), direct.get(path)
        if (one.status, one.body) != (other.status, other.body):
            found.append(f"{path}: {one.status} through nginx, {other.status} from the service")
    if client.get("/tile/0/000").headers.get("x-request-id"):
        found.append("a tile comes from the service, not from the disk")
    if client.get("/metrics").status != 403:
        found.append("nginx hands out /metrics")
    return found + mirror_from(address, folder / "copy", service.encoded_key)


def main():
    found, missing = [], []
    with tempfile.TemporaryDirectory(prefix="galen-operate-") as folder:
        folder = Path(folder)
        found += run_book(folder)
        found += dashboard() + metrics(folder)
        if have("promtool", "prometheus"):
            found += rules()
        else:
            missing.append("prometheus")
        if have("nginx", "nginx-light"):
            found += proxy(folder)
        else:
            missing.append("nginx-light")
    for finding in found:
        print(f"FOUND: {finding}")
    if found:
        sys.exit(1)
    if missing:
        print(f"SKIPPED: {', '.join(missing)} cannot be installed", file=sys.stderr)
        sys.exit(SKIPPED)
    print("every command of docs/operate.md, and deploy/: nothing found")


if __name__ == "__main__":
    main()
