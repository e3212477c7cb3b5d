"""Loaded by Python itself from PYTHONPATH: no connection leaves the machine, and each try is noted."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

HERE = ("127.", "::1", "localhost", "0.0.0.0")
_connect, _asked = socket.socket.connect, socket.getaddrinfo


def _outside(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return isinstance(name, str) and name != "" and not name.startswith(HERE)


def _refuse(host: object) -> None:
    with open(os.environ["MAA_OUTSIDE"], "a", encoding="utf-8") as file:
        file.write(f"{host!r} by {' '.join(sys.argv[:2])}\n")
    raise ConnectionRefusedError(f"Nothing outside of the container can be reached, {host!r} neither.")


def _connected(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and _outside(address[0]):
        _refuse(address[0])
    _connect(self, address)


def _resolved(host: Any, *given: Any, **named: Any) -> Any:
    if _outside(host) and host != socket.gethostname():
        _refuse(host)
    return _asked(host, *given, **named)


if "MAA_OUTSIDE" in os.environ:
    socket.socket.connect = _connected  # type: ignore[method-assign]
    socket.getaddrinfo = _resolved
