"""Weights out of an ONNX file: its tensors by name and its nodes in order, without the onnx package.

Only what that takes of the format (onnx.proto3: ModelProto, GraphProto, NodeProto, TensorProto) is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

FLOAT = 1  # TensorProto.DataType
QUANTISING = ("QuantizeLinear", "DequantizeLinear")


@dataclass(frozen=True)
class Node:
    """One operation of a graph."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Operations in the order of the file, and the float32 tensors that they read."""

    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]

    def weights(self) -> list[tuple[str, Tensor, Tensor]]:
        """Kind, weight and bias of every Conv and Gemm in order; quantising nodes before a weight are passed over.

        Raises:
            ValueError: one of them has no float weight or no float bias.
        """
        makers = {name: node for node in self.nodes for name in node.outputs}
        found = []
        for node in self.nodes:
            if node.kind in ("Conv", "Gemm"):
                names = [self._source(name, makers) for name in node.inputs[1:3]]
                if len(names) < 2 or any(name not in self.tensors for name in names):
                    raise ValueError(f"A {node.kind} of the ONNX file has no float weight and bias of its own.")
                found.append((node.kind, self.tensors[names[0]], self.tensors[names[1]]))
        return found

    def _source(self, name: str, makers: dict[str, Node]) -> str:
        while name in makers and makers[name].kind in QUANTISING:
            name = makers[name].inputs[0]
        return name


def read_graph(model: bytes, external: bytes = b"") -> Graph:
    """The graph of a file; `external` is the one file of external data that its tensors may lie in.

    Raises:
        ValueError: this is no ONNX file, or it ends too early.
    """
    graphs = [value for number, value in _fields(model) if number == 7]
    if len(graphs) != 1 or not isinstance(graphs[0], bytes):
        raise ValueError("This is not an ONNX file with one graph.")
    nodes, tensors = [], {}
    for number, value in _fields(graphs[0]):
        if number == 1 and isinstance(value, bytes):
            nodes.append(_node(value))
        elif number == 5 and isinstance(value, bytes):
            named = _tensor(value, external)
            if named is not None:
                tensors[named[0]] = named[1]
    return Graph(tuple(nodes), tensors)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message: int for varints, bytes for all else."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("This is not an ONNX file: it holds a field of an unknown kind.")
        if at + size > len(data):
            raise ValueError("The ONNX file ends too early.")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("The ONNX file ends too early.")


def _text(value: int | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _node(data: bytes) -> Node:
    fields = [(number, value) for number, value in _fields(data) if number in (1, 2, 4)]
    kind, inputs, outputs = (tuple(_text(v) for n, v in fields if n == wanted) for wanted in (4, 1, 2))
    return Node(kind[0], inputs, outputs)


def _tensor(data: bytes, external: bytes) -> tuple[str, Tensor] | None:
    """Name and values of a float32 tensor; None for every other type."""
    fields = list(_fields(data))
    single = dict(fields)
    if single.get(2) != FLOAT:
        return None
    shape: list[int] = []
    for number, value in fields:
        if number == 1:
            shape += [value] if isinstance(value, int) else _varints(value)
    raw = single.get(9, b"")
    entries = [dict(_fields(value)) for number, value in fields if number == 13 and isinstance(value, bytes)]
    if entries:
        place = {_text(entry[1]): _text(entry[2]) for entry in entries}
        start = int(place.get("offset", 0))
        raw = external[start : start + int(place["length"])] if "length" in place else external[start:]
    assert isinstance(raw, bytes)
    name, size = _text(single[8]), int(np.prod(shape))
    if len(raw) != 4 * size:
        raise ValueError(f"The tensor {name} of the ONNX file has {len(raw)} bytes, not {4 * size}.")
    return name, torch.from_numpy(np.frombuffer(raw, "<f4").copy()).reshape(shape)


def _varints(data: bytes) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values
