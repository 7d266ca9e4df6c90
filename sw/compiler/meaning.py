"""What tasks mean: an evaluation of vectors in numpy, to be held against that of the graph they come from."""

from collections.abc import Mapping

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.evaluate import dot, elementwise
from sw.compiler.graph import Graph, Tensor
from sw.compiler.lower.lowering import Lowering
from sw.compiler.tasks import (
    Chain,
    Gathering,
    Operand,
    Permutation,
    Product,
    Reduction,
    Scattering,
    Stage,
    Task,
    topological,
)
from sw.compiler.vectors import Vector

_REDUCE = {"MAX": np.max, "MIN": np.min, "SUM": np.sum}


def evaluate_tasks(lowering: Lowering, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Outputs by name of a first run with these inputs: of every task on vectors, one after the other."""
    values = _Values(lowering)
    for name, tensor in lowering.graph.inputs.items():
        values.put(tensor, inputs[name])
    for tensor in lowering.graph.states.values():
        values.put(tensor, tensor.attributes["initial"])
    with np.errstate(all="ignore"):
        for task in topological(lowering.tasks):
            values.run(task)
    return {name: values.tensor(lowering.results[name], value) for name, value in lowering.graph.outputs.items()}


class _Values:
    """Elements of vectors, as a task finds and leaves them."""

    def __init__(self, lowering: Lowering):
        self.lowering, self.vl, self._known = lowering, lowering.vl, {}

    def of(self, vector: Vector, dtype: DType) -> np.ndarray:
        """The bits of a vector as elements of a type of its width."""
        if vector.data is not None:
            data = np.zeros(self.vl, vector.data.dtype)
            data[: len(vector.data)] = vector.data
            return data.view(dtype.numpy)
        known = self._known[id(vector.whole)]
        if vector.number is not None:
            known = known.view(np.int8)[vector.number :: vector.whole.bytes]
        return known.view(dtype.numpy)

    def set(self, vector: Vector, elements: np.ndarray) -> None:
        self._known[id(vector)] = np.ascontiguousarray(elements)

    def put(self, tensor: Tensor, array: np.ndarray) -> None:
        """A tensor into the vectors of its grid; a last axis of 1 stands in every lane."""
        grid = self.lowering.grids[tensor]
        rows = array.reshape(len(grid), -1)
        wide = np.zeros((len(grid), grid.shape[1] * self.vl), array.dtype)
        wide[:, : rows.shape[1]] = rows
        if rows.shape[1] == 1:
            wide[:] = rows
        for (row, tile), vector in np.ndenumerate(grid):
            self.set(vector, wide[row, tile * self.vl : (tile + 1) * self.vl])

    def tensor(self, grid: np.ndarray, tensor: Tensor) -> np.ndarray:
        """A tensor out of vectors."""
        rows = np.array([[self.of(vector, tensor.dtype) for vector in row] for row in grid]).reshape(len(grid), -1)
        return rows[:, : tensor.shape[-1] if tensor.shape else 1].reshape(tensor.shape)

    def run(self, task: Task) -> None:
        """Gives what a task makes its elements."""
        if isinstance(task, Chain):
            for item in range(len(next(iter(task.outs.values())))):
                self._chain(task, item)
        elif isinstance(task, Product):
            acts = [np.concatenate([self.of(v, task.dtype) for v in row]) for row in zip(*task.acts, strict=True)]
            for n, outs in enumerate(task.outs):
                columns = zip(*(row[n].columns for row in task.tiles), strict=True)
                weights = [np.concatenate([self.of(v, task.dtype) for v in column]) for column in columns]
                for vector, sums in zip(outs, dot(np.array(acts), np.array(weights), self.vl), strict=True):
                    self.set(vector, sums)
        elif isinstance(task, Reduction):
            for source, out in zip(task.source, task.outs, strict=True):
                elements = self.of(source, out.dtype)
                self.set(out, np.full(self.vl, _REDUCE[task.fn](elements)).astype(elements.dtype))
        elif isinstance(task, Permutation):
            lanes = self.of(task.map, DType.INT16)
            for source, out in zip(task.source, task.outs, strict=True):
                elements = self.of(source, out.dtype)
                self.set(out, np.where(lanes < self.vl, elements[lanes % self.vl], elements.dtype.type(0)))
        elif isinstance(task, Gathering):
            self._gather(task)
        elif isinstance(task, Scattering):
            row = self.of(task.index, DType.INT16)[0]
            for old, new in zip(task.before, task.outs, strict=True):
                there = task.table.offset(old.home.row) == row
                self.set(new, self.of(task.data if there else old, task.table.dtype))

    def _gather(self, task: Gathering) -> None:
        table, part = task.table, slice(task.tile * self.vl, (task.tile + 1) * self.vl)
        for index, out in zip(task.index, task.outs, strict=True):
            row = self.of(index, DType.INT16)[0]
            elements = np.zeros(self.vl, table.dtype.numpy)
            if row >= 0 and task.reads:
                elements = self.of(task.reads[row], table.dtype)
            elif row >= 0:
                known = table.values.reshape(table.rows, -1)[row, part]
                elements[: len(known)] = known
            self.set(out, elements)

    def _chain(self, task: Chain, item: int) -> None:
        before = None
        for number, stage in enumerate(task.stages):
            operands = [self._operand(task, stage, operand, item, before) for operand in stage.operands]
            if stage.fn == "SELECT":
                operands.insert(0, before)
            before = elementwise(_like(stage), operands)
            for vector in task.outs.get(number, [])[item : item + 1]:
                self.set(vector, before)

    def _operand(self, task: Chain, stage: Stage, operand: Operand, item: int, before: np.ndarray | None) -> np.ndarray:
        if operand.kind == "PREV":
            return before
        if operand.kind == "ARG":
            return self.of(task.args[operand.value][item], stage.dtype)
        bits = np.array([operand.value & stage.dtype.mask], f"u{stage.dtype.streams}")
        return np.repeat(bits, self.vl).view(stage.dtype.numpy)


def _like(stage: Stage) -> Tensor:
    """A tensor that is computed as a stage does it."""
    graph = Graph()
    operand = Tensor(graph, "input", (), stage.dtype)
    return Tensor(graph, "elementwise", (), stage.to, (operand,), {"fn": stage.fn, "overflow": stage.overflow})
