"""The judge's weights out of a published file: the reader of ONNX on files written here byte by byte."""

from __future__ import annotations

import io
import zipfile

import pytest
import torch

from train.evaluation.onnx import read_graph
from train.evaluation.yamnet import Yamnet
from train.parts import judge_weights


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(kind: str, inputs: list[str], output: str) -> bytes:
    """A field of a graph."""
    return field(1, b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind))


def tensor(name: str, values: torch.Tensor, at: int | None = None, packed: bool = False) -> bytes:
    """A field of a graph: float32 values in the file itself, or in the external file at byte `at`."""
    shape = (
        field(1, b"".join(varint(n) for n in values.shape)) if packed else b"".join(field(1, n) for n in values.shape)
    )
    raw = values.numpy().tobytes()
    if at is None:
        return field(5, shape + field(2, 1) + field(8, name) + field(9, raw))
    pairs = {"location": "model.data", "offset": str(at), "length": str(len(raw))}
    entries = b"".join(field(13, field(1, key) + field(2, value)) for key, value in pairs.items())
    return field(5, shape + field(2, 1) + field(8, name) + entries + field(14, 1))


def quantised(name: str) -> bytes:
    """The two nodes that stand between a weight and its use."""
    return node("QuantizeLinear", [name, "s"], f"{name}_q") + node("DequantizeLinear", [f"{name}_q", "s"], f"{name}_dq")


def model(graph: bytes) -> bytes:
    return field(1, 8) + field(2, "by hand") + field(7, field(2, "graph") + graph)


def test_weights_are_found_behind_quantising_nodes_in_order() -> None:
    first, bias = torch.randn(2, 1, 3, 3), torch.randn(2)
    second, last = torch.randn(5, 300), torch.randn(5)
    external = b"1234" + second.numpy().tobytes()
    graph = quantised("w") + node("Conv", ["x", "w_dq", "b"], "y") + node("Relu", ["y"], "z")
    graph += quantised("v") + node("Gemm", ["z", "v_dq", "c"], "out")
    graph += tensor("c", last) + tensor("b", bias, packed=True) + tensor("w", first, packed=True)
    graph += tensor("v", second, at=4) + field(5, field(2, 3) + field(8, "zero"))  # an int8: not read
    found = read_graph(model(graph), external)
    assert [one.kind for one in found.nodes].count("QuantizeLinear") == 2 and "zero" not in found.tensors
    (kind, w, b), (other, v, c) = found.weights()
    assert (kind, other) == ("Conv", "Gemm")
    for got, true in ((w, first), (b, bias), (v, second), (c, last)):
        assert torch.equal(got, true)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not an ONNX file"),
        (b"PK\x03\x04 some zip", "ONNX file"),
        (model(tensor("w", torch.zeros(3)))[:-4], "ends too early"),
        (model(field(5, field(1, 9) + field(2, 1) + field(8, "w") + field(9, b"12345678"))), "has 8 bytes, not 36"),
    ],
)
def test_other_files_are_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_graph(data)


def test_an_operation_without_float_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="A Conv of the ONNX file"):
        read_graph(model(node("Conv", ["x", "w", "b"], "y"))).weights()


def test_the_published_form_of_yamnet_becomes_its_weights() -> None:
    torch.manual_seed(0)
    true = Yamnet().state_dict()
    graph, data = b"", b""
    for layer in [*(f"convolutions.{k}" for k in range(27)), "classifier"]:
        kind = "Gemm" if layer == "classifier" else "Conv"
        graph += quantised(f"{layer}.weight") + node(kind, ["x", f"{layer}.weight_dq", f"{layer}.bias"], f"{layer}.y")
        for leaf in ("weight", "bias"):
            graph += tensor(f"{layer}.{leaf}", true[f"{layer}.{leaf}"], at=len(data))
            data += true[f"{layer}.{leaf}"].numpy().tobytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("job/model.onnx", model(graph))
        files.writestr("job/model.data", data)
    found = judge_weights(archive.getvalue())
    assert found.keys() == true.keys() and all(torch.equal(found[key], true[key]) for key in true)
