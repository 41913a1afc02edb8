"""Connections that are held: headers and bodies that dribble, silence."""

import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from common.client import Client, Cut, Refused
from common.statements import Key, member, sha256

# A request's headers may take 10 s; what is still open by then is held for nothing.
PATIENCE = 20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
UPLOAD = b"PUT /v1/blobs/" + b"0" * 64 + b" HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"
SUBMISSION = b"POST /v1/members HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n"


class Held:
    """Connections that have begun with some bytes, and send one more every 2 s."""

    def __init__(self, address, count, begin, more=b"x"):
        self.more, self.open = more, []
        for _ in range(count):
            connection = socket.create_connection(address, timeout=10)
            connection.sendall(begin)
            connection.setblocking(False)
            self.open.append(connection)

    def dribble(self, seconds, meanwhile=lambda: None):
        """For so long, or until the service has closed them all; the time that took."""
        started = time.monotonic()
        while self.open and time.monotonic() - started < seconds:
            self.open = [c for c in self.open if self.alive(c)]
            meanwhile()
            time.sleep(2)
        return time.monotonic() - started

    def alive(self, connection):
        try:
            if self.more:
                connection.send(self.more)
            if connection.recv(65_536):
                return True
        except BlockingIOError:
            return True
        except OSError:
            pass
        connection.close()
        return False

    def close(self):
        for connection in self.open:
            connection.close()


def headers(target, connections):
    """No request ever comes: the service lets go."""
    few = connections // 5
    kinds = (
        ("a header byte every 2 s", connections, b"GET /livez HTTP/1.1\r\nx: ", b"x"),
        ("a byte of the request line every 2 s", few, b"GET /", b"x"),
        ("nothing sent", few, b"", b""),
        ("the beginning of HTTP/2's preface", few, b"PRI * HTTP", b""),
        ("HTTP/2's preface, settings and no request", few, PREFACE, b""),
    )

    def hold(kind):
        name, count, begin, more = kind
        held = Held(target.address, count, begin, more)
        seconds = held.dribble(PATIENCE)
        print(f"{count} connections, {name}: {len(held.open)} still open after {seconds:.0f} s")
        if held.open:
            target.find(f"connections are held without a request: {name}")
        held.close()

    with ThreadPoolExecutor(len(kinds)) as pool:
        list(pool.map(hold, kinds))


def bodies(target, connections):
    """Bodies that dribble take nobody's place."""
    statement = member(target.ledger.steward, f"while bodies dribble {time.time()}", Key())
    for name, begin in (("submissions", SUBMISSION), ("uploads", UPLOAD)):
        held = Held(target.address, connections, begin)
        time.sleep(1)
        answer = target.post("/v1/members", statement)
        if answer.status not in (200, 201):
            target.find(f"a submission while {name} dribble: {answer.status} {answer.body[:120]}")
        waits = upload_time(target, held)
        if waits is None:
            target.find(f"while {connections} {name} dribble, no file can be uploaded for {PATIENCE} s: 503 busy")
        print(f"{connections} {name} dribble: an upload of another gets through after "
              f"{'more than ' + str(PATIENCE) if waits is None else round(waits, 1)} s; {len(held.open)} still open")
        held.close()


def upload_time(target, held):
    """How long an upload must be tried before it is taken; `None` if it is not."""
    started, taken = time.monotonic(), []

    def upload():
        answer = target.put(sha256(b"honest"), b"honest")
        target.look("an upload beside others", answer)
        if answer.status == 202 and not taken:
            taken.append(time.monotonic() - started)

    held.dribble(PATIENCE, upload)
    return taken[0] if taken else None


def exhaustion(target):
    """More silent connections than the process may have open files: others are served again before long."""
    process = target.service.process.pid
    before = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (256, before[1]))
    held = Held(target.address, 300, b"", b"")
    held.dribble(PATIENCE)
    try:
        served = Client(target.address, timeout=5).get("/readyz").status == 200
    except (Refused, Cut):
        served = False
    print(f"300 silent connections, 256 open files: served after {PATIENCE} s: {served}")
    if not served:
        target.find("silent connections take all of the process's open files, and nobody is served")
    resource.prlimit(process, resource.RLIMIT_NOFILE, before)
    held.close()
    time.sleep(1)
    target.expect("after they have gone", target.once("GET", "/readyz", None, {}), 200)
