"""Tensors on their ways between chips."""

from sw.arch.system import System
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.network.graph import Network


class Wires:
    """Brings tensors of a graph to other chips, over links that are there; each once. What many chips want goes down a tree
    of shortest ways, in a ring both ways round, in a node from the chip that has it to each."""

    def __init__(self, graph: Graph, system: System):
        self._graph, self._network = graph, Network(system)
        self._before: dict[int, dict[int, int]] = {}
        self._made: dict[tuple[Tensor, int], Tensor] = {}

    def at(self, tensor: Tensor, chip: int) -> Tensor:
        """The tensor on a chip. GraphError if no way leads there."""
        if tensor.chip in (None, chip):
            return tensor
        if (tensor, chip) not in self._made:
            before = self.way_in(tensor.chip).get(chip)
            if before is None:
                raise GraphError(f"No way over links leads from chip {tensor.chip} to chip {chip}.")
            source = self.at(tensor, before)
            self._graph.scope = tensor.name
            self._made[tensor, chip] = self._graph.transfer(source, chip)
        return self._made[tensor, chip]

    def way_in(self, root: int) -> dict[int, int]:
        """For every chip that is reached from `root` the one before it, nearest first."""
        if root not in self._before:
            network = self._network
            self._before[root] = {network.targets[link]: network.sources[link] for link in network.tree(root)}
        return self._before[root]

    def way_out(self, root: int) -> dict[int, int]:
        """For every chip that reaches `root` the next one on the way, nearest first."""
        network = self._network
        return {network.sources[link]: network.targets[link] for link in network.tree(root, inward=True)}
