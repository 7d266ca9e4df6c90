"""What a graph means: an evaluation in plain numpy, the specification that every pass is held against.

It follows the machine's types and rounding; the special functions are numpy's, which the machine's equal but for the
last bits.
"""

from collections.abc import Mapping

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import COMPARISONS, Graph, GraphError, Tensor

_UNARY = {
    "ABS": np.abs,
    "NEG": np.negative,
    "EXP2": np.exp2,
    "LOG2": np.log2,
    "RSQRT": lambda a: 1 / np.sqrt(a),
    "RECIP": lambda a: 1 / a,
    "TANH": np.tanh,
}
_BINARY = {
    "ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "MIN": np.minimum, "MAX": np.maximum,
    "EQ": np.equal, "NE": np.not_equal, "LT": np.less, "LE": np.less_equal, "GT": np.greater, "GE": np.greater_equal,
}  # fmt: skip
_BITS = {"AND": np.bitwise_and, "OR": np.bitwise_or, "XOR": np.bitwise_xor, "MASK": np.bitwise_and}
_REDUCE = {"MAX": np.max, "MIN": np.min, "SUM": np.sum}


class Evaluator:
    """A graph with its states, as a machine would run it.

    vl : elements over which a product is exact before it is rounded
    """

    def __init__(self, graph: Graph, vl: int = 64):
        self.graph, self.vl = graph, vl
        self.states = {name: state.attributes["initial"].copy() for name, state in graph.states.items()}
        #: Value of every tensor in the last run.
        self.values: dict[Tensor, np.ndarray] = {}

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs by name, from inputs by name; states move on."""
        self.values = {}
        with np.errstate(all="ignore"):
            for tensor in self.graph.tensors:
                self.values[tensor] = self._value(tensor, inputs)
        self.states.update({name: self.values[value] for name, value in self.graph.stores.items()})
        return {name: self.values[value] for name, value in self.graph.outputs.items()}

    def _value(self, tensor: Tensor, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        match tensor.op:
            case "input":
                return _given(tensor, inputs)
            case "constant":
                return tensor.attributes["values"]
            case "state":
                return self.states[tensor.name]
        return value_of(tensor, [self.values[operand] for operand in tensor.operands], self.vl)


def value_of(tensor: Tensor, operands: list[np.ndarray], vl: int) -> np.ndarray:
    """The value of a tensor whose operands have these values."""
    match tensor.op:
        case "elementwise":
            return elementwise(tensor, operands)
        case "dot":
            return dot(*operands, vl)
        case "reduce":
            fn = _REDUCE[tensor.attributes["fn"]]
            return fn(operands[0], axis=tensor.attributes["axis"], keepdims=True).astype(tensor.dtype.numpy)
        case "move":
            flat = np.concatenate([operand.reshape(-1) for operand in operands])
            index = tensor.attributes["index"]
            return np.where(index < 0, flat.dtype.type(0), flat[index])
        case "bytes":
            each = np.ascontiguousarray(operands[0])[..., None].view(np.int8)
            return np.ascontiguousarray(np.moveaxis(each, -1, 0))
        case "gather":
            return _gather(*operands)
        case "scatter":
            return _scatter(*operands)
        case "transfer":
            return operands[0]
    raise GraphError(f"There is no primitive '{tensor.op}'.")


def elementwise(tensor: Tensor, operands: list[np.ndarray]) -> np.ndarray:
    """The value of an elementwise tensor."""
    fn, dtype = tensor.attributes["fn"], tensor.operands[-1].dtype
    first = operands[0]
    if fn == "MOV":
        return first
    if fn == "BITCAST":
        return first.view(tensor.dtype.numpy)
    if fn == "CONVERT":
        return convert(first, dtype, tensor.dtype)
    if fn == "SELECT":
        return np.where(operands[0] & 1, operands[1], operands[2])
    if fn == "RELU":
        return np.maximum(first, first.dtype.type(0)) + first.dtype.type(0)
    if fn == "NOT":
        return ~first
    if fn in _BITS:
        bits = f"u{first.dtype.itemsize}"
        return _BITS[fn](first.view(bits), operands[1].view(bits)).view(first.dtype)
    if fn in ("SHL", "SHR", "SAR"):
        return _shift(fn, first, operands[1] % dtype.bits)
    if fn in COMPARISONS:
        return -_BINARY[fn](*operands).astype(np.int8)
    function = _UNARY.get(fn) or _BINARY[fn]
    if dtype.is_float:
        return function(*operands).astype(dtype.numpy)
    wide = function(*(operand.astype(np.int64) for operand in operands))
    if tensor.attributes["overflow"] == "sat":
        wide = np.clip(wide, dtype.least, dtype.greatest)
    return wide.astype(dtype.numpy)


def convert(a: np.ndarray, dtype: DType, to: DType) -> np.ndarray:
    """`a` as type `to`: nearest even, saturating; NaN gives 0 as an integer."""
    if to.is_float:
        return a.astype(to.numpy)
    wide = np.rint(a.astype(np.float64))
    return np.clip(np.where(np.isnan(wide), 0, wide), to.least, to.greatest).astype(to.numpy)


def dot(a: np.ndarray, b: np.ndarray, vl: int) -> np.ndarray:
    """[..., m, k] and [..., n, k] give [..., m, n]: exact over every `vl` elements of k, then summed in order."""
    total = None
    for first in range(0, a.shape[-1], vl):
        left, right = (operand[..., first : first + vl].astype(np.float64) for operand in (a, b))
        part = left @ np.swapaxes(right, -1, -2)
        part = part.astype(np.float32) if a.dtype == np.float16 else part.astype(np.int64).astype(np.int32)
        total = part if total is None else total + part
    return total


def _shift(fn: str, a: np.ndarray, count: np.ndarray) -> np.ndarray:
    if fn == "SHR":
        return (a.view(f"u{a.dtype.itemsize}") >> count.astype(f"u{a.dtype.itemsize}")).view(a.dtype)
    return (a << count if fn == "SHL" else a >> count).astype(a.dtype)


def _given(tensor: Tensor, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    if tensor.name not in inputs:
        raise GraphError(f"The input '{tensor.name}' is missing; given are {', '.join(inputs) or 'none'}.")
    value = np.asarray(inputs[tensor.name])
    if value.shape != tensor.shape or value.dtype != tensor.dtype.numpy:
        raise GraphError(f"The input '{tensor.name}' is {value.dtype}{list(value.shape)}, it must be {tensor}.")
    return value


def _gather(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    rows = index[:, 0]
    wrong = rows[(rows < -1) | (rows >= len(table))]
    if len(wrong):
        raise GraphError(f"A gather takes row {wrong[0]} of {len(table)}.")
    return np.where(index < 0, table.dtype.type(0), table[rows])


def _scatter(state: np.ndarray, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    result = state.copy()
    for row, values in zip(index[:, 0], rows, strict=True):
        if not -1 <= row < len(state):
            raise GraphError(f"A scatter writes row {row} of {len(state)}.")
        if row >= 0:
            result[row] = values
    return result
