"""Least cycles of one run of a graph on a chip, by reason: what no schedule of these operations can go below.

Each reason is counted as if nothing else took time. Weights are taken to come from memory in every run.
"""

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.fuse import chained, stage_key
from sw.compiler.graph import Graph, Tensor

#: Reasons by key, as people read them.
REASONS = {
    "arithmetic": "passes over the planes",
    "vector": "operations of the vector unit",
    "weight_bandwidth": "weights into the planes",
    "dependency_latency": "the longest chain of dependences",
}


def bounds(graph: Graph, config: Config) -> dict[str, int]:
    """Least cycles by the keys of `REASONS`.

    arithmetic : passes of all products times the interval of their type, over the planes
    vector : vectors that elementwise operations make, over the ALUs
    weight_bandwidth : vectors of bytes of all products' weights over those that LW brings to all planes in a cycle
    dependency_latency : the longest way from inputs to outputs and states, each operation at its latency in the
        instruction table, units as far apart as the nearest of their kinds are, reading at the beginning included
    """
    chip = Chip(config)
    planes = max(1, len(chip.planes))
    passes = sum(passes_of(t, chip) for t in graph.tensors if t.op == "dot")
    loaded = sum(weight_words_of(t, config.vl) for t in graph.tensors if t.op == "dot")
    vectors = sum(vectors_of(t, config.vl) for t in graph.tensors if chained(t))
    return {
        "arithmetic": -(-passes // planes),
        "vector": -(-vectors // config.alus),
        "weight_bandwidth": -(-loaded // (planes * chip.load_streams)),
        "dependency_latency": _Latency(graph, chip).total,
    }


def vectors_of(tensor: Tensor, vl: int) -> int:
    last = tensor.shape[-1] if tensor.shape else 1
    return tensor.size // last * -(-last // vl)


def passes_of(tensor: Tensor, chip: Chip) -> int:
    """Cycles of passes of a product on one plane."""
    k, vl = tensor.operands[0].shape[-1], chip.config.vl
    turn = chip.timing("ABC", tensor.operands[0].dtype is DType.FP16).turn
    return vectors_of(tensor, vl) * -(-k // vl) * turn


def weight_words_of(tensor: Tensor, vl: int) -> int:
    weights = tensor.operands[1]
    return vectors_of(weights, vl) * weights.dtype.streams


class _Latency:
    """When each value is there at the earliest: `total` is one more than the last cycle that anything needs."""

    def __init__(self, graph: Graph, chip: Chip):
        self._chip = chip
        self._stops: dict[str, set[int]] = {}
        for unit in chip.plan.units:
            self._stops.setdefault(unit.kind, set()).add(unit.stop)
        #: Kind of the unit that makes a value, and the cycle in which it stands beside that unit.
        self._made: dict[Tensor, tuple[str, int]] = {}
        #: Issue of the operations of the vector unit.
        self._issued: dict[Tensor, int] = {}
        for tensor in graph.tensors:
            self._made[tensor] = self._of(tensor)
        ends = [*graph.outputs.values(), *graph.stores.values()]
        self.total = 1 + max((self._arrives(tensor, "MEM") for tensor in ends), default=0)

    def _arrives(self, tensor: Tensor, kind: str) -> int:
        unit, cycle = self._made[tensor]
        return cycle + self._hops(unit, kind)

    def _hops(self, unit: str, kind: str) -> int:
        """Further stops from beside one kind of unit to the nearest of another."""
        if unit == kind or unit not in self._stops or kind not in self._stops:
            return 0
        return min(abs(a - b) for a in self._stops[unit] for b in self._stops[kind]) - 1

    def _of(self, tensor: Tensor) -> tuple[str, int]:
        timing, operands = self._chip.timing, tensor.operands
        if tensor.op in ("input", "constant", "state"):
            return "MEM", timing("READ").d_func
        if chained(tensor):
            return self._elementwise(tensor)
        if tensor.op == "dot":
            fp16 = operands[0].dtype is DType.FP16
            late = self._arrives(operands[1], "MXM") + timing("LW", fp16).d_func + timing("IW").d_func
            first = max(self._arrives(operands[0], "MXM"), late)
            return "MXM", first + timing("ABC", fp16).d_func + timing("ACC", fp16).d_func
        if tensor.op == "reduce":
            return self._reduction(tensor)
        if tensor.op == "gather":
            access = timing("GATHER")
            return "MEM", self._arrives(operands[1], "MEM") + access.d_func - (access.d_skew or 0)
        if tensor.op == "scatter":
            access = timing("SCATTER").access
            return "MEM", access + max(self._made[operands[0]][1], *(self._arrives(o, "MEM") for o in operands[1:]))
        # A move may be no more than another way of counting.
        return max((self._made[operand] for operand in operands), key=lambda made: made[1])

    def _elementwise(self, tensor: Tensor) -> tuple[str, int]:
        timing = self._chip.timing(*stage_key(tensor))
        issue = 0
        for operand in tensor.operands:
            if operand in self._issued:
                before = self._chip.timing(*stage_key(operand))
                issue = max(issue, self._issued[operand] + before.d_chain - timing.chain_skew)
            elif operand.op != "constant":
                issue = max(issue, self._arrives(operand, "VXM") - timing.d_skew)
        self._issued[tensor] = issue
        return "VXM", issue + timing.d_func

    def _reduction(self, tensor: Tensor) -> tuple[str, int]:
        (source,) = tensor.operands
        axis = tensor.attributes["axis"]
        if source.shape[axis] == 1:
            return self._made[source]
        if axis == len(source.shape) - 1:
            timing = self._chip.timing("REDUCE")
            return "SXM", self._arrives(source, "SXM") + timing.d_func - (timing.d_skew or 0)
        fn = tensor.attributes["fn"]
        timing = self._chip.timing("ADD" if fn == "SUM" else fn, tensor.dtype)
        return "VXM", self._arrives(source, "VXM") + timing.d_func - timing.d_skew
