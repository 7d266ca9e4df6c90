"""From a graph to intrinsics on vectors.

Every last axis is cut into tiles of VL lanes; a tensor is a grid of vectors, one row for each index of the axes before
it. A last axis of 1 stands in every lane, so that it meets any other without a copy.
"""

import numpy as np

from sw.compiler.chip import Chip
from sw.compiler.graph import Graph, Tensor
from sw.compiler.lower import order
from sw.compiler.lower.borders import Borders
from sw.compiler.lower.dots import Dots
from sw.compiler.lower.draft import Draft, grid_of
from sw.compiler.lower.elementwise import Elementwise
from sw.compiler.lower.lanes import Lanes
from sw.compiler.lower.prefix import prefixed
from sw.compiler.lower.rows import Rows


class Lowering(Draft):
    """A graph as tasks."""

    def __init__(self, graph: Graph, chip: Chip):
        super().__init__(graph, chip)
        self._elementwise, self._dots = Elementwise(self), Dots(self)
        self._lanes, self._rows, self._borders = Lanes(self), Rows(self), Borders(self)
        for tensor in order.tensors(graph, self._elementwise.chains):
            self._lower(tensor)
        for name, value in graph.stores.items():
            self._rows.store(graph.states[name], value)
        for number, value in graph.departures.items():
            self._borders.depart(number, value)
        #: Vectors of every output.
        self.results = {name: self._rows.result(value) for name, value in graph.outputs.items()}
        wanted = {id(vector.whole) for grid in self.results.values() for vector in grid.flat}
        self.tasks = prefixed(self.tasks, chip, wanted)
        order.send_both_ways(self.tasks, chip)
        order.link(self.tasks)

    def _lower(self, tensor: Tensor) -> None:
        if tensor.op == "elementwise":
            self._elementwise.lower(tensor)
        else:
            self.grids[tensor] = self._grid(tensor)

    def _grid(self, tensor: Tensor) -> np.ndarray:
        match tensor.op:
            case "input":
                return self._rows.input(tensor)
            case "constant":
                return self.constant(tensor)
            case "state":
                return self._rows.table(tensor, tensor.attributes["initial"])
            case "dot":
                return self._dots.lower(tensor)
            case "reduce":
                return self._lanes.reduce(tensor)
            case "move":
                return self._lanes.move(tensor)
            case "bytes":
                (whole,) = tensor.operands
                return np.concatenate([self._bytes(whole, number) for number in range(whole.dtype.streams)])
            case "gather":
                return self._rows.gather(tensor)
            case "arrival":
                return self._borders.arrive(tensor)
            case _:
                return self._rows.scatter(tensor)

    def _bytes(self, whole: Tensor, number: int) -> np.ndarray:
        grid = self.grids[whole]
        return grid_of([vector.byte(number) for vector in grid.flat], grid.shape)
