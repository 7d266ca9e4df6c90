"""Parts of a graph that follow each other, one for each chip."""

from sw.arch.system import System
from sw.compiler.bounds import passes_of, vectors_of, weight_words_of
from sw.compiler.chip import Chip
from sw.compiler.fuse import chained
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.compiler.spread.values import state_of

#: Cycles of what is neither a product nor elementwise, for each vector.
_OTHER = 4


def stages(graph: Graph, system: System) -> dict[Tensor, int]:
    """The chip of every tensor that is computed: consecutive tensors on consecutive chips, so that each has about as much to
    do. A state is where it is used first, and so is all that is done in its place.

    GraphError if there are fewer operations than chips.
    """
    chip = Chip(system.config)
    made = [tensor for tensor in graph.tensors if tensor.chip is not None and tensor.op not in ("input", "state")]
    if len(made) < system.chips:
        raise GraphError(f"'{graph.name}' has {len(made)} operations, {system.chips} chips cannot have one each.")
    costs = [_cost(tensor, chip) for tensor in made]
    whole, done, found = sum(costs), 0.0, {}
    for tensor, cost in zip(made, costs, strict=True):
        found[tensor] = min(system.chips - 1, int((done + cost / 2) * system.chips / whole))
        done += cost
    homes: dict[str, int] = {}
    for tensor in made:
        for operand in tensor.operands:
            if name := state_of(operand):
                homes.setdefault(name, found[tensor])
    for tensor in graph.tensors:
        name = state_of(tensor.operands[0]) if tensor.op in ("gather", "scatter") else state_of(tensor)
        if name:
            found[tensor] = homes.get(name, 0)
    return found


def _cost(tensor: Tensor, chip: Chip) -> float:
    """About how many cycles of a chip a tensor takes."""
    if tensor.op == "dot":
        planes = max(1, len(chip.planes))
        words = weight_words_of(tensor, chip.config.vl)
        return max(passes_of(tensor, chip) / planes, words / planes / chip.load_streams)
    vectors = vectors_of(tensor, chip.config.vl)
    return vectors / chip.config.alus if chained(tensor) else _OTHER * vectors
