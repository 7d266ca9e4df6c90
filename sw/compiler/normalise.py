"""The first pass: constants folded, equal tensors made one, what nobody needs dropped, and lanes beyond a tensor's last
axis made harmless.

A tensor whose last axis is no multiple of VL leaves lanes over. What stands in them is followed through the graph; a
product or a reduction that could not bear it gets its operand masked.
"""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.evaluate import elementwise, value_of
from sw.compiler.graph import Graph, Tensor
from sw.compiler.rebuild import live, remade

#: What a reduction leaves as it is.
_NEUTRAL = {"SUM": 0.0, "MAX": -np.inf, "MIN": np.inf}


def normalise(graph: Graph, vl: int) -> Graph:
    """A graph that means the same, ready to be lowered to vectors of `vl` lanes."""
    return _Rebuild(graph, vl).run()


class _Rebuild:
    def __init__(self, graph: Graph, vl: int):
        self.old, self.new, self.vl = graph, Graph(graph.name), vl
        self.of: dict[Tensor, Tensor] = {}
        #: Value in the lanes left over, None where it is not known.
        self.pad: dict[Tensor, float | None] = {}
        self.known: dict[tuple, Tensor] = {}

    def run(self) -> Graph:
        for tensor in live(self.old, {}):
            self.new.scope = tensor.name
            self.of[tensor] = self._build(tensor)
        for name, value in self.old.stores.items():
            self.new.stores[name] = self.of[value]
        for name, value in self.old.outputs.items():
            self.new.outputs[name] = self.of[value]
        return self.new

    def _build(self, tensor: Tensor) -> Tensor:
        if tensor.op in ("input", "state"):
            return self._put(remade(self.new, tensor, ()), 0.0)
        if tensor.op == "constant":
            return self._constant(tensor.attributes["values"], tensor.dtype)
        operands = [self.of[operand] for operand in tensor.operands]
        if all(operand.op == "constant" for operand in operands):
            known = [operand.attributes["values"] for operand in operands]
            return self._constant(value_of(tensor, known, self.vl), tensor.dtype)
        if tensor.op == "dot":
            operands = self._masked_factors(*operands)
        if tensor.op == "reduce" and tensor.attributes["axis"] == len(tensor.shape) - 1:
            operands = [self._masked(operands[0], _neutral(tensor.attributes["fn"], tensor.dtype))]
        return self._same(tensor, operands)

    def _same(self, tensor: Tensor, operands: list[Tensor]) -> Tensor:
        key = (tensor.op, tuple(map(id, operands)), tensor.dtype, tensor.shape, _key(tensor.attributes))
        if key not in self.known:
            made = remade(self.new, tensor, operands)
            self.known[key] = self._put(made, self._pad(made))
        return self.known[key]

    def _put(self, tensor: Tensor, pad: float | None) -> Tensor:
        self.pad[tensor] = pad
        return tensor

    def _constant(self, values: np.ndarray, dtype: DType) -> Tensor:
        key = ("constant", values.tobytes(), values.shape, dtype)
        if key not in self.known:
            self.known[key] = self._put(self.new.constant(values, dtype), 0.0)
        return self.known[key]

    def _over(self, tensor: Tensor) -> int:
        """Lanes that a tensor leaves over; a last axis of 1 stands in all."""
        last = tensor.shape[-1] if tensor.shape else 1
        return 0 if last == 1 else -last % self.vl

    def _masked_factors(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """The lanes left over add nothing to a product: one factor is 0 there and the other finite."""
        if a.shape[-1] == 1:
            return [self._first_lane(a), self._first_lane(b)]
        if not self._over(a):
            return [a, b]
        a_pad, b_pad = self.pad[a], self.pad[b]
        if a.dtype is DType.INT8:
            return [a, b] if 0.0 in (a_pad, b_pad) else [self._masked(a, 0.0), b]
        if a_pad is None or not np.isfinite(a_pad):
            a, a_pad = self._masked(a, 0.0), 0.0
        if b_pad is None or not np.isfinite(b_pad) or (a_pad and b_pad):
            b = self._masked(b, 0.0)
        return [a, b]

    def _first_lane(self, tensor: Tensor) -> Tensor:
        """A last axis of 1, which stands in every lane, as one of VL with zeros behind the first element."""
        if tensor.op == "constant":
            values = tensor.attributes["values"]
            behind = np.zeros((*values.shape[:-1], self.vl - 1), values.dtype)
            return self._constant(np.concatenate([values, behind], axis=-1), tensor.dtype)
        bits = np.zeros(self.vl, f"i{tensor.dtype.numpy.itemsize}")
        bits[0] = -1
        return self._once("MASK", (tensor, self._constant(bits.view(tensor.dtype.numpy), tensor.dtype)), 0.0)

    def _masked(self, tensor: Tensor, neutral: float) -> Tensor:
        if not self._over(tensor) or self.pad[tensor] == neutral:
            return tensor
        last = tensor.shape[-1]
        if neutral == 0:
            bits = self._constant(np.full(last, -1, f"i{tensor.dtype.numpy.itemsize}").view(tensor.dtype.numpy), tensor.dtype)
            return self._once("MASK", (tensor, bits), 0.0)
        lanes = self._constant(np.full(last, -1, np.int8), DType.INT8)
        return self._once("SELECT", (lanes, tensor, self._constant(tensor.dtype.numpy.type(neutral), tensor.dtype)), neutral)

    def _once(self, fn: str, operands: tuple[Tensor, ...], pad: float) -> Tensor:
        """An operation that the old graph has not, made once for the same operands."""
        key = (fn, *map(id, operands))
        if key not in self.known:
            self.known[key] = self._put(self.new.elementwise(fn, *operands), pad)
        return self.known[key]

    def _pad(self, tensor: Tensor) -> float | None:
        """What the lanes left over hold."""
        pads = [self.pad[operand] for operand in tensor.operands]
        match tensor.op:
            case "dot" | "gather":
                return 0.0
            case "scatter":
                return 0.0 if pads[0] == 0 and pads[2] == 0 else None
            case "bytes":
                return 0.0 if pads[0] == 0 else None
            case "transfer":
                return pads[0]
            case "reduce":
                return pads[0] if tensor.attributes["axis"] != len(tensor.shape) - 1 and pads[0] == 0 else None
            case "elementwise":
                return self._elementwise_pad(tensor, pads)
        return None

    def _elementwise_pad(self, tensor: Tensor, pads: list[float | None]) -> float | None:
        values = []
        for operand, pad in zip(tensor.operands, pads, strict=True):
            if operand.op == "constant" and operand.size == 1:
                values.append(operand.attributes["values"].reshape(1))
            elif pad is None or (operand.shape[-1:] in ((), (1,)) and tensor.shape[-1:] != operand.shape[-1:]):
                return None
            else:
                values.append(np.full(1, pad).astype(operand.dtype.numpy))
        with np.errstate(all="ignore"):
            return float(elementwise(tensor, values)[0])


def _neutral(fn: str, dtype: DType) -> float:
    if dtype.is_float or fn == "SUM":
        return _NEUTRAL[fn]
    return float(dtype.least if fn == "MAX" else dtype.greatest)


def _key(attributes: dict) -> tuple:
    return tuple((name, value.tobytes() if isinstance(value, np.ndarray) else value) for name, value in attributes.items())
