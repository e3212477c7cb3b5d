"""Eight clients for a long time: random jobs, with cancels, with clients that vanish and others that never listen.

Every job is a visit of its own, with a prompt and a seed that no other has; what comes back must be that job's.
"""

from __future__ import annotations

import collections
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.attack.server import Server
from tests.attack.table import Row

WARM = 300  # jobs until memory is looked at
MORE_MB = 100  # that may come after that
JOB_SECONDS = 120
ACTS = (("wait", 76), ("cancel", 9), ("vanish", 9), ("never", 6))
ENDS = ("text_to_audio", "personalize", "image_to_audio", "inpaint")


def run(server: Server, good: Path, until: float, most: int, seed: int, clients: int = 8) -> Row:
    """Jobs until the time is over or there were enough, and a look at what the server holds afterwards."""
    soak = Soak(server, good, seed, until, most)
    threads = [threading.Thread(target=soak.client, args=(number,)) for number in range(clients)]
    before = len(server.tracebacks())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = soak.row
    settled = time.monotonic() + JOB_SECONDS
    while server.alive and server.waiting() and time.monotonic() < settled:
        time.sleep(0.5)
    ends = server.tracebacks()[before:]
    row.tracebacks = len(ends)
    for end in sorted(set(ends)):
        row.found(f"logged {ends.count(end)} times: {end}")
    if not server.alive or server.waiting():
        row.crashes += 1
        row.found("the server has ended" if not server.alive else f"{server.waiting()} jobs still wait")
    row.tries, row.peak = soak.tally["sent"], server.memory("VmHWM")
    row.memory = (soak.warm or server.memory(), server.memory())
    if row.memory[1] - row.memory[0] > MORE_MB:
        row.leaks += 1
        row.found(f"memory grew by {row.memory[1] - row.memory[0]:.0f} MB")
    row.kind = f"soak ({', '.join(f'{count} {name}' for name, count in sorted(soak.tally.items()) if name != 'sent')})"
    return row


class Soak:
    """What all clients share."""

    def __init__(self, server: Server, good: Path, seed: int, until: float, most: int) -> None:
        self.server, self.seed, self.until, self.most = server, seed, until, most
        self.row = Row("soak", crossed=0)
        self.tally: collections.Counter[str] = collections.Counter()
        self.warm = 0.0
        self.lock = threading.Lock()
        self.sound = (good / "sound" / "e.wav").read_bytes()
        self.picture = (good / "picture" / "a.png").read_bytes()

    def client(self, number: int) -> None:
        """One client after the other's jobs, as long as there is time."""
        chance = random.Random(f"{self.seed}:{number}")
        address = {"x-forwarded-for": f"20.0.0.{number}"}
        given = {"sound": self.server.upload(self.sound, f"{number}.wav"),
                 "picture": self.server.upload(self.picture, f"{number}.png")}  # fmt: skip
        with httpx.Client(timeout=JOB_SECONDS, headers=address) as client:
            while time.monotonic() < self.until and self.tally["sent"] < self.most:
                try:
                    self.job(client, chance, given, number)
                except (httpx.HTTPError, ValueError, KeyError) as error:
                    with self.lock:
                        self.row.crashes += 1
                        self.row.found(f"client {number}: {type(error).__name__}: {error}")

    def job(self, client: httpx.Client, chance: random.Random, given: dict[str, Any], number: int) -> None:
        """Ask for one sound, and do with it what people do."""
        seed = chance.randrange(2**32)
        prompt, end = f"client {number} job {seed}", chance.choice(ENDS)
        (act,) = chance.choices([name for name, _ in ACTS], [weight for _, weight in ACTS])
        many = {"steps": chance.choice((1, 1, 2, 3, 25)), "seed": seed, "guidance": 1.0}
        more: dict[str, Any] = {
            "text_to_audio": {"prompt": prompt, "seconds": 0.5},
            "personalize": {"audio": given["sound"], "prompt": prompt, "t0": 0.3},
            "image_to_audio": {"image": given["picture"], "prompt": prompt, "seconds": 0.5},
            "inpaint": {"audio": given["sound"], "prompt": prompt, "boxes": [[0.1, 0.3, 100, 4000]]},
        }[end]  # fmt: skip
        data = [{**many, **more}.get(name, default) for name, default in self.server.arguments[end]]
        asked = client.post(f"{self.server.api}/call/{end}", json={"data": data})
        with self.lock:
            self.tally["sent"] += 1
            if self.tally["sent"] == WARM:
                self.warm = self.server.memory()
        if asked.status_code == 503:
            self.note("refused")
            time.sleep(chance.random())
            return
        event = asked.json()["event_id"]
        if act == "never":
            self.note("never listened")
            return
        begun = time.monotonic()
        self.listen(client, f"{end}/{event}", act, (prompt, seed))
        with self.lock:
            self.row.slower(time.monotonic() - begun)

    def listen(self, client: httpx.Client, event: str, act: str, mine: tuple[str, int]) -> None:
        """Wait for the end of a job, or for a moment to go away."""
        kind = ""
        with client.stream("GET", f"{self.server.api}/call/{event}") as stream:
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    kind = line[7:]
                elif not line.startswith("data:"):
                    continue
                elif kind == "generating" and act == "vanish":
                    self.note("vanished")
                    return
                elif kind == "generating" and act == "cancel":
                    name = event.split("/")[1]
                    body = {
                        "session_hash": name,
                        "fn_index": self.server.functions[event.split("/")[0]],
                        "event_id": name,
                    }
                    client.post(f"{self.server.api}/cancel", json=body)
                    self.note("cancelled")
                    return
                elif kind == "complete":
                    self.compare(client, json.loads(line[6:]), mine)
                    return
                elif kind == "error":
                    with self.lock:
                        self.tally["failed"] += 1
                        self.row.found(f"error: {line[:200]}")
                    return
        raise ValueError("a stream has ended without an answer")

    def compare(self, client: httpx.Client, answer: Any, mine: tuple[str, int]) -> None:
        """Whether what came is what was asked for: the settings, the name of the file, and what the file says."""
        file, settings = answer
        body = client.get(f"{self.server.api}/file={file['path']}").content
        right = (settings["prompt"], settings["seed"]) == mine and file["path"].endswith(f"{mine[1]}.wav")
        if right and body[:4] == b"RIFF" and mine[0].encode() in body:
            self.note("right")
            return
        with self.lock:
            self.row.crossed = (self.row.crossed or 0) + 1
            self.row.found(f"{mine} got {settings.get('prompt')!r} {settings.get('seed')} {file['path'][-40:]}")

    def note(self, name: str) -> None:
        """Count how a job has ended."""
        with self.lock:
            self.tally[name] += 1
