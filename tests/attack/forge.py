"""Forged calls: junk for every argument of every endpoint and event, and raw requests that no page sends."""

from __future__ import annotations

import io
import json
import random
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from PIL import Image

from tests.attack.server import Listener, Server
from tests.attack.table import Row

CALL_SECONDS = 60
LONGEST = 4000  # characters of an answer that refuses
SORRY = "Something went wrong"
HUGE = 10**400
OURS = ("text_to_audio", "image_to_audio", "video_to_audio", "personalize", "inpaint", "edit")
EVENTS = ("dropped", "take_use", "take_again", "take_send", "take_more")
ROUTES = ("file=", "file/", "stream/", "static/", "assets/", "custom_component/", "svelte/", "proxy=", "theme/")
SHAPES = ("{}", "/{}", "//{}", "%2F{}", "../../../../{}", "..%2f..%2f..%2f{}", "....//....//{}", "./{}", "{}%00.wav",
          "{}/.", "file://{}", "\\\\{}", "%252e%252e%252f{}", "{}?x", "~/{}", "{}::$DATA")  # fmt: skip
# Bodies of some MB that would be hundreds of MB as values.
MANY = (b'{"data":[[' + b"[]," * 700_000 + b"1]]}",
        b'{"data":[{' + b",".join(b'"%d":{}' % number for number in range(90_000)) + b"}]}")  # fmt: skip


def run(server: Server, good: Path, until: float, most: int, seed: int, clients: int = 8) -> Row:
    """Forged calls until the time is over or there were enough."""
    forger = Forger(server, good, seed)
    threads = [threading.Thread(target=forger.work, args=(until, most)) for _ in range(clients)]
    before = len(server.tracebacks())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = forger.row
    ends = server.tracebacks()[before:]
    row.tracebacks += len(ends)
    for end in sorted(set(ends)):
        row.found(f"logged {ends.count(end)} times: {end}")
    copies = server.copies()
    row.leaks += len(copies) + forger.listener.hits
    if copies or forger.listener.hits:
        row.found(f"copies of the secret: {copies}, visits of the listener: {forger.listener.hits}")
    if not server.alive:
        row.crashes += 1
        row.found(f"the server has ended: {server.logged()[-500:]}")
    row.peak = server.memory("VmHWM")
    forger.listener.close()
    return row


class Forger:
    """Makes calls by their numbers, and judges the answers."""

    def __init__(self, server: Server, good: Path, seed: int) -> None:
        self.server, self.seed = server, seed
        self.row = Row("forged calls")
        self.listener = Listener()
        self.next = self.calls = 0
        self.sessions: list[str] = []
        self.lock = threading.Lock()
        wave = (0.3 * np.sin(np.arange(9600) / 5)).astype(np.float32)
        stream = io.BytesIO()
        soundfile.write(stream, wave, 16_000, format="WAV", subtype="PCM_16")
        picture = io.BytesIO()
        Image.fromarray(np.arange(3072, dtype=np.uint8).reshape(32, 32, 3)).save(picture, "PNG")
        self.sound = server.upload(stream.getvalue(), "t.wav")
        self.picture = server.upload(picture.getvalue(), "p.png")
        self.clip = server.upload((good / "video" / "a.mp4").read_bytes(), "c.mp4")
        self.tagged = server.upload((good / "sound" / "a.wav").read_bytes(), "s.wav")
        self.parts = {part["id"]: part for part in server.config["components"]}
        self.handlers = [one for one in server.config["dependencies"] if one["backend_fn"]]

    def work(self, until: float, most: int) -> None:
        """One client."""
        with httpx.Client(timeout=CALL_SECONDS) as client:
            while time.monotonic() < until:
                with self.lock:
                    number, self.next = self.next, self.next + 1
                if number >= most:
                    return
                chance = random.Random(f"{self.seed}:{number}")
                way = chance.choices((self.endpoint, self.event, self.tab, self.raw), (5, 3, 3, 2))[0]
                begun = time.monotonic()
                what, answer = "?", ""
                try:
                    what, answer = way(client, chance)
                except (httpx.HTTPError, ValueError) as error:
                    answer = f"no answer: {type(error).__name__}: {error}"
                self.judge(f"#{number} {what}", answer, time.monotonic() - begun)

    def judge(self, what: str, answer: str, seconds: float) -> None:
        """Count an answer."""
        with self.lock:
            row = self.row
            row.tries += 1
            row.slower(seconds)
            if answer.startswith("no answer") or seconds > CALL_SECONDS:
                row.crashes += 1
                row.found(f"{what}: {answer[:200]}")
            told = (
                answer.startswith("http 503") or '"title":"Error"' in answer
            )  # Gradio's /api says 500 to refusals, too
            if SORRY in answer or (answer.startswith("http 5") and not told):
                row.tracebacks += 1
                row.found(f"{what}: {answer[:200]}")
            held = self.server.secret in answer or "root:x:" in answer or "BEGIN OPENSSH" in answer
            if held or ("error" in answer[:400] and len(answer) > LONGEST):
                row.leaks += 1
                row.found(f"{what}: {len(answer)} characters: {answer[:200]}")

    def junk(self, chance: random.Random) -> Any:
        """A value that no page sends."""
        mark = {"_type": "gradio.FileData"}
        hidden, url = str(self.server.hidden), self.listener.url
        deep: Any = []
        for _ in range(chance.choice((3, 200, 900))):
            deep = [deep]
        own = self.sound["path"]
        values: list[Any] = [
            None, "", "x", "1", "A" * chance.choice((2000, 200_000)), [], [1], {}, [[]], deep, {"a": deep}, True, False,
            {"path": hidden}, {"path": hidden, "meta": mark}, {"path": url, "url": url, "meta": mark}, {"path": url},
            {"path": own + "/../../../../../etc/passwd", "meta": mark}, {"path": str(Path(own).parent), "meta": mark},
            {"path": "a\0b", "meta": mark}, {"path": "x" * 100_000}, {"path": ["a"]}, {"path": 5},
            {"path": "/etc/passwd"},
            self.sound, self.picture, self.clip, -1, 0, 1, 2.5, 1e308, -1e308, HUGE, -HUGE, 2**32, 2**53 + 1,
            float("nan"), float("inf"), -0.0, "<img src=x onerror=alert(1)>", "\ud800", "\0", "😀" * 400, "‮abc", "NaN",
            [["a", "b", "c", "d"]], [[0, 1, 0, 1e308]], [[0, 0.2, 0, HUGE]], [[0, 0.2]], [[0.0, 0.2, 100, 4000]] * 65,
            {"mels": 80, "frames": 64, "mask": "AAAA"}, {"mask": "A" * 100, "mels": {}, "frames": []},
            {"mels": 10**9, "frames": 10**9, "mask": ""}, {"words": [["a", HUGE]]}, {"words": [["a"]], "heard": False},
            {"words": "abc"}, {"words": [["a", 1]] * 100, "heard": 0}, {"start": HUGE}, {"start": "x"}, {"go": []},
            {"__type__": "update", "value": hidden, "choices": [["a", "b"]]}, [{"path": hidden, "meta": mark}],
            {"settings": {"task": ["text"]}}, ["dpm++"], "dpm++" * 1000, "../../x", "0" * 32, "id",
        ]  # fmt: skip
        return chance.choice(values)

    def usual(self, name: str, kind: Any) -> Any:
        """What a good call has for an argument."""
        given = {"image": self.picture, "video": self.clip, "audio": self.sound, "prompt": "a dog", "seconds": 0.5,
                 "steps": 1, "seed": 1, "boxes": [[0, 0.2, 100, 4000]], "frames": [],
                 "edits": [{"frames": [[0, 0.1]], "gain": -6}]}  # fmt: skip
        return given.get(name, kind)

    def endpoint(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """One or more arguments of an endpoint are junk."""
        name = chance.choice(OURS)
        arguments = self.server.arguments[name]
        given = [self.usual(*argument) for argument in arguments]
        changed = chance.sample(range(len(given)), chance.choice((1, 1, 1, 2, len(given))))
        for place in changed:
            given[place] = self.junk(chance)
        if chance.random() < 0.03:
            given = given[: chance.randrange(len(given))]
        junk = [(arguments[place][0], given[place]) for place in changed if place < len(given)]
        what = f"{name} {str(junk)[:150]}"
        asked = posted(client, f"{self.server.api}/call/{name}", {"data": given})
        if asked.status_code != 200:
            return what, f"http {asked.status_code} {asked.text}"
        return what, heard(client, f"{self.server.api}/call/{name}/{asked.json()['event_id']}", {})

    def event(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """What a button of a take or a dropped file tells, in part or as a whole junk."""
        name = chance.choice(EVENTS)
        (handler, *_) = [one for one in self.handlers if any(target[1] == name for target in one["targets"])]
        settings = {"task": chance.choice(("text", "image", "video", "personalize", "inpaint")), "prompt": "a"}
        data: Any = {"settings": settings, "to": "text", "path": self.tagged["path"], "name": "s.wav", "id": "0" * 32}
        changed = chance.choice((*data, "all"))
        if changed == "all":
            data = self.junk(chance)
        elif changed == "settings" and chance.random() < 0.8:
            name_of = chance.choice(("steps", "seed", "takes", "batch", "heard_as", "words", "original", "t0", "task"))
            data["settings"][name_of] = self.junk(chance)
        else:
            data[changed] = self.junk(chance)
        return f"{name} {changed} {str(data)[:150]}", self.joined(client, handler["id"], [], data)

    def tab(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """One or all inputs of a handler of the page are junk."""
        handler = chance.choice([one for one in self.handlers if one["api_visibility"] != "public"])
        given: list[Any] = []
        for part in handler["inputs"]:
            props = self.parts[part]["props"]
            named = str(props.get("elem_id") or props.get("label"))
            usual = 1 if "steps" in named.lower() else props.get("value")
            given.append({"image-input": self.picture, "video-input": self.clip, "personalize-input": self.sound,
                          "inpaint-input": self.sound}.get(named, usual))  # fmt: skip
        for place in chance.sample(range(len(given)), min(len(given), chance.choice((1, 1, 2, len(given) or 1)))):
            given[place] = self.junk(chance)
        event = self.junk(chance) if chance.random() < 0.2 else None
        return f"tab {handler['id']} {str(given)[:150]}", self.joined(client, handler["id"], given, event)

    def joined(self, client: httpx.Client, handler: Any, data: Any, event: Any) -> str:
        """The answers to a call as a page makes it."""
        with self.lock:  # most calls come from pages that have made others before
            session = self.sessions.pop() if self.sessions and self.calls % 10 else secrets.token_hex(6)
            self.calls += 1
        body = {"data": data, "event_data": event, "fn_index": handler, "session_hash": session, "trigger_id": None}
        answer = posted(client, f"{self.server.api}/queue/join", body)
        if answer.status_code != 200:
            return f"http {answer.status_code} {answer.text}"
        said = heard(client, f"{self.server.api}/queue/data", {"session_hash": session})
        with self.lock:
            self.sessions.append(session)
        return said

    def raw(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """A request of no particular shape."""
        ways: list[Callable[[httpx.Client, random.Random], tuple[str, str]]] = [self.path, self.called, self.body]
        return chance.choice(ways)(client, chance)

    def path(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """A file that nobody may read, under many names."""
        targets = (str(self.server.hidden), "private/token.txt", "etc/passwd", "server.log", "app.py",
                   str(self.server.kept), "proc/self/environ", "root/.ssh/id_rsa")  # fmt: skip
        route = chance.choice(ROUTES) + chance.choice(SHAPES).format(chance.choice(targets))
        answer = client.get(f"{chance.choice((self.server.url, self.server.api))}/{route}")
        refused = answer.status_code in (400, 401, 403, 404, 405, 422, 307)
        leaks = "" if refused or self.server.secret not in answer.text else self.server.secret
        return f"GET {route}", f"http {answer.status_code} {leaks}"

    def called(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """The server functions of the widgets."""
        ids = [part for part, one in self.parts.items() if one["type"] == "html"]
        session, part = chance.choice(("x", self.junk(chance))), chance.choice((*ids, 10**6, -1))
        body = {"session_hash": session, "component_id": part,
                "fn_name": chance.choice(("stars", "stars", "bundle", "bundle", "nothing", "__init__", "postprocess")),
                "data": self.junk(chance)}  # fmt: skip
        if chance.random() < 0.1:
            body["component_id"] = self.junk(chance)
        answer = posted(client, f"{self.server.api}/component_server", body)
        return f"component_server {str(body)[:150]}", f"http {answer.status_code} {answer.text}"

    def body(self, client: httpx.Client, chance: random.Random) -> tuple[str, str]:
        """A route with a body that is not what it takes."""
        routes = ("queue/join", "call/text_to_audio", "call/nothing", "run/text_to_audio", "api/inpaint", "cancel",
                  "reset", "upload", "component_server", "call/inpaint/x", "stream/x/y/z")  # fmt: skip
        route = chance.choice(routes)
        texts = (b"", b"{", b"[" * 5000 + b"]" * 5000, b"null", b"[]", b'"x"', b'{"data":1}', b'{"data":null}',
                 b"\xff\xfe",
                 b'{"data":[],"fn_index":99999,"session_hash":"s"}', b'{"data":[],"fn_index":-1,"session_hash":"s"}',
                 b'{"data":[],"fn_index":"x","session_hash":[]}', b'{"session_hash":1,"fn_index":1,"event_id":1}',
                 b'{"session_hash":"s","fn_index":1,"event_id":"e"}', b'{"data":[],"fn_index":1,"batched":true}',
                 b'{"data":{"a":1},"session_hash":"s","fn_index":0}', b"--b\r\n\r\n",
                 b'{"event_id":"../x","fn_index":0}', *MANY,
                 json.dumps({"data": [self.junk(chance)]}).encode())  # fmt: skip
        kinds = ("application/json", "text/plain", "multipart/form-data; boundary=b", "multipart/form-data", "")
        headers = {"content-type": chance.choice(kinds)}
        answer = client.request(chance.choice(("POST", "POST", "GET", "PUT")), f"{self.server.api}/{route}",
                                content=chance.choice(texts), headers=headers)  # fmt: skip
        return f"{route} {headers}", f"http {answer.status_code} {answer.text}"


def posted(client: httpx.Client, url: str, body: Any) -> httpx.Response:
    """JSON as any program can write it: NaN, numbers beyond every float, half a character."""
    return client.post(url, content=json.dumps(body).encode(), headers={"content-type": "application/json"})


def heard(client: httpx.Client, url: str, params: dict[str, str]) -> str:
    """Everything that a stream says until the job has ended."""
    said: list[str] = []
    until = time.monotonic() + CALL_SECONDS
    with client.stream("GET", url, params=params) as stream:
        for line in stream.iter_lines():
            if "generating" not in line:
                said.append(line)
            ends = ("close_stream", "unexpected_error", "event: complete", "event: error")
            if said and line.startswith("data:") and any(end in text for end in ends for text in said[-2:]):
                break
            if time.monotonic() > until:
                raise ValueError("the job has no end")
    return "\n".join(said)
