"""The server that is attacked, in a process of its own: `python -m tests.attack.server PORT MODEL` in its folder."""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180
STARTS = 3  # on a very busy machine Gradio does not find itself in time, and ends
_TRACE = re.compile(r"^\s*Traceback \(most recent call last\):", re.M)


class Server:
    """A running server, what it has logged, and what it holds.

    Args:
        folder: its own, empty; it works in there, beside a secret.
        model: "fake" (sines that say what was asked) or "tiny" (networks of random weights).
    """

    def __init__(self, folder: Path, model: str) -> None:
        folder.mkdir(parents=True)
        (folder / "private").mkdir()
        self.secret = f"the key is {secrets.token_hex(16)}"
        self.hidden = folder / "private" / "token.txt"
        self.hidden.write_text(self.secret, encoding="utf-8")
        self.kept = folder / "kept"
        self.log = folder / "server.log"
        environ = {**os.environ, "GRADIO_TEMP_DIR": str(self.kept), "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1",
                   "GRADIO_ANALYTICS_ENABLED": "False"}  # fmt: skip
        for _ in range(STARTS):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            self.api = f"{self.url}/gradio_api"
            with self.log.open("wb") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "tests.attack.server", str(port), model],
                    stdout=log, stderr=log, env=environ, cwd=folder,
                )  # fmt: skip
            if self._is_up():
                break
        else:
            raise RuntimeError(f"The server did not start: {self.logged()[-2000:]}")
        self.config: dict[str, Any] = httpx.get(f"{self.url}/config", timeout=60).json()
        described = httpx.get(f"{self.api}/info", timeout=60).json()["named_endpoints"]
        self.arguments: dict[str, list[tuple[str, Any]]] = {
            end.strip("/"): [(one["parameter_name"], one.get("parameter_default")) for one in about["parameters"]]
            for end, about in described.items()
        }
        self.functions = {str(one["api_name"]): one["id"] for one in self.config["dependencies"]}

    def _is_up(self) -> bool:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/config", timeout=30).status_code == 200:
                    return True
            except httpx.HTTPError:
                time.sleep(0.3)
        self.process.kill()
        return False

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process.poll() is None

    def memory(self, name: str = "VmRSS") -> float:
        """MB that the process holds now, or with "VmHWM" at most ever held."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines()
        except OSError:
            return 0.0
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)

    def logged(self) -> str:
        """Everything that it has written."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tracebacks(self) -> list[str]:
        """What it has logged of errors that are no sentences: where each ends."""
        ends = []
        for part in _TRACE.split(self.logged())[1:]:
            lines = [line for line in part.splitlines() if line.strip()]
            places = [line.strip() for line in lines if line.strip().startswith("File ")]
            end = next((line for line in lines if not line.startswith(" ")), "?")
            ends.append(f"{end} @ {places[-1] if places else '?'}")
        return ends

    def copies(self) -> list[Path]:
        """Files in what it hands out that hold the secret."""
        said = self.secret.encode()
        found = [path for path in self.kept.rglob("*") if path.is_file() and path.stat().st_size < 100_000]
        return [path for path in found if said in path.read_bytes()]

    def waiting(self) -> int:
        """Jobs in the queue."""
        return int(httpx.get(f"{self.api}/queue/status", timeout=60).json()["queue_size"])

    def upload(self, data: bytes, name: str) -> dict[str, Any]:
        """A file as a request names it."""
        answer = httpx.post(f"{self.api}/upload", files=[("files", (name, data))], timeout=60)
        answer.raise_for_status()
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Listener:
    """Counts who comes to a port of this machine: nobody may, as the server fetches nothing."""

    def __init__(self) -> None:
        self.hits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/secret.wav"
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.hits += 1

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def main() -> None:
    """Serve until the process is ended."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    from maa import MakeAnAudio
    from maa.ui import Address, build, launch
    from tests.ui.fakes import FakePipeline

    port, model = int(sys.argv[1]), sys.argv[2]
    pipeline: Any = MakeAnAudio.from_pretrained(model, "cpu") if model != "fake" else FakePipeline(step_seconds=0.002)
    page = build(pipeline)
    launch(page, Address(port=port))
    page.block_thread()


if __name__ == "__main__":
    main()
