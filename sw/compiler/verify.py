"""What must hold between two passes: rules of a graph, of its tasks, and of their schedule.

Each function raises VerifyError, a fault of the pass before it, with a sentence that names the
offender.
"""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import COMPARISONS, SUMS, Graph, Tensor
from sw.compiler.lower import Lowering
from sw.compiler.vectors import (
    Chain,
    Gathering,
    Permutation,
    Product,
    Reduction,
    Scattering,
    Storing,
    Task,
    Vector,
)


class VerifyError(ValueError):
    """A pass broke a rule of what it hands on."""


def verify_graph(graph: Graph) -> None:
    """Operands come before their users, shapes and types follow from them, stores fit, and what is scattered is stored."""
    seen: set[Tensor] = set()
    for tensor in graph.tensors:
        _require(seen.issuperset(tensor.operands), f"{tensor} comes before one of its operands")
        expected = _derived(tensor)
        found = tensor.shape, tensor.dtype
        _require(found == expected, f"{tensor} is {_text(found)}, its operands make it {_text(expected)}")
        seen.add(tensor)
    named = [*graph.inputs.values(), *graph.states.values(), *graph.stores.values(), *graph.outputs.values()]
    for tensor in named:
        _require(tensor in seen, f"{tensor} has a name and is not in the graph")
    for name, value in graph.stores.items():
        state = graph.states[name]
        _require((value.shape, value.dtype) == (state.shape, state.dtype), f"The state {state} becomes {value}")
    _verify_scatters(graph)


def _verify_scatters(graph: Graph) -> None:
    """A scatter writes where its state lies, so there is one line of them and its end is what the state becomes."""
    states = {state: name for name, state in graph.states.items()}
    owner: dict[Tensor, str] = dict(states)
    latest = {name: state for name, state in graph.states.items()}
    for tensor in graph.tensors:
        if tensor.op == "scatter":
            name = owner[tensor] = owner[tensor.operands[0]]
            _require(latest[name] is tensor.operands[0], f"The state '{name}' is scattered into twice, side by side")
            latest[name] = tensor
    for name, tensor in latest.items():
        if tensor.op == "scatter":
            _require(graph.stores.get(name) is tensor, f"The state '{name}' is scattered into and becomes something else")


def _derived(tensor: Tensor) -> tuple[tuple[int, ...], DType]:
    """Shape and type that a tensor must have."""
    operands, attributes = tensor.operands, tensor.attributes
    match tensor.op:
        case "constant":
            return attributes["values"].shape, _machine_type(attributes["values"], tensor.dtype)
        case "state":
            return attributes["initial"].shape, _machine_type(attributes["initial"], tensor.dtype)
        case "elementwise":
            fn = attributes["fn"]
            made = tensor.dtype if fn in ("CONVERT", "BITCAST") else operands[-1].dtype
            shape = np.broadcast_shapes(*(operand.shape for operand in operands))
            return shape, DType.INT8 if fn in COMPARISONS else made
        case "dot":
            a, b = operands
            _require(a.shape[-1] == b.shape[-1], f"{tensor} has factors of lengths {a.shape[-1]} and {b.shape[-1]}")
            return (*a.shape[:-1], b.shape[-2]), SUMS[a.dtype]
        case "reduce":
            axis = attributes["axis"]
            return (*operands[0].shape[:axis], 1, *operands[0].shape[axis + 1 :]), operands[0].dtype
        case "move":
            size = sum(operand.size for operand in operands)
            _require(attributes["index"].max(initial=-1) < size, f"{tensor} takes more than the {size} elements there are")
            return attributes["index"].shape, operands[0].dtype
        case "gather":
            return (operands[1].shape[0], operands[0].shape[1]), operands[0].dtype
        case "scatter":
            return operands[0].shape, operands[0].dtype
    return tensor.shape, tensor.dtype


def _machine_type(values: np.ndarray, dtype: DType) -> DType | None:
    return dtype if values.dtype == dtype.numpy else None


def verify_tasks(lowering: Lowering) -> None:
    """Every vector is made once and before it is read, in the order that `after` gives; items and types fit."""
    makers: dict[int, Task] = {}
    for task in lowering.tasks:
        for vector in task.makes:
            _require(id(vector) not in makers, f"Task '{task.name}' makes a vector that another has made")
            _require(vector.data is None, f"Task '{task.name}' makes a constant")
            makers[id(vector)] = task
    given = {id(v) for tensor in lowering.graph.inputs.values() for v in lowering.grids[tensor].reshape(-1)}
    given |= {id(v) for tensor in lowering.graph.states.values() for v in lowering.grids[tensor].reshape(-1)}
    for task in topological(lowering.tasks):
        for vector in task.needs:
            maker = makers.get(id(vector))
            known = vector.data is not None or id(vector) in given if maker is None else maker in task.after
            _require(known, f"Task '{task.name}' reads a vector of {vector.dtype.text} that is not there")
        if isinstance(task, Scattering | Storing):
            for old in task.before if isinstance(task, Scattering) else [task.before]:
                readers = set(old.readers) - {task}
                _require(task.after >= readers, f"Task '{task.name}' overwrites what others still read")
        _verify_task(task)


def topological(tasks: list[Task]) -> list[Task]:
    """Tasks so that each comes after all in its `after`."""
    order: dict[Task, None] = {}
    waiting = list(tasks)
    while waiting:
        ready = [task for task in waiting if all(before in order for before in task.after)]
        _require(bool(ready), f"Task '{waiting[0].name}' waits for itself")
        order.update(dict.fromkeys(ready))
        waiting = [task for task in waiting if task not in order]
    return list(order)


def _verify_task(task: Task) -> None:
    """Item counts and types of one task."""

    def same(vectors: list[list[Vector]]) -> None:
        counts = {len(items) for items in vectors}
        _require(len(counts) == 1, f"Task '{task.name}' has lists of {sorted(counts)} items")

    def typed(vectors: list[Vector], dtype: DType, exactly: bool = True) -> None:
        for vector in vectors:
            fits = vector.dtype is dtype if exactly else vector.bytes == dtype.streams
            _require(fits, f"Task '{task.name}' has a vector of {vector.dtype.text} for {dtype.text}")

    if isinstance(task, Chain):
        same([*task.args, *task.outs.values()])
        made = None
        for number, stage in enumerate(task.stages):
            mask = stage.fn == "SELECT"
            _require(not mask or made is DType.INT8, f"Task '{task.name}' selects by something other than a mask")
            for operand in stage.operands:
                if operand.kind == "ARG":
                    typed(task.args[operand.value], stage.dtype, exactly=False)
                elif operand.kind == "PREV":
                    _require(not mask and made is stage.dtype, f"Task '{task.name}' hands on another type than its stage takes")
            made = stage.to
            typed(task.outs.get(number, []), made, exactly=False)
    elif isinstance(task, Product):
        same([*task.acts, *(out for out in task.outs)])
        _require(len(task.acts) == len(task.tiles), f"Task '{task.name}' has {len(task.acts)} tiles of k and {len(task.tiles)}")
        typed([v for row in task.tiles for tile in row for v in tile.columns], task.dtype, exactly=False)
        typed([v for group in task.acts for v in group], task.dtype, exactly=False)
        typed(task.makes, SUMS[task.dtype])
    elif isinstance(task, Reduction):
        same([task.source, task.outs])
        typed(task.source, task.outs[0].dtype, exactly=False)
    elif isinstance(task, Permutation):
        same([task.source, task.outs])
        typed(task.outs, task.source[0].dtype, exactly=False)
    elif isinstance(task, Gathering):
        same([task.index, task.outs])
        typed(task.index, DType.INT16, exactly=False)
        typed(task.outs, task.table.dtype, exactly=False)
    elif isinstance(task, Scattering):
        same([task.before, task.outs])
        typed([task.index], DType.INT16, exactly=False)
        typed([task.data], task.table.dtype, exactly=False)
    elif isinstance(task, Storing):
        typed([task.source], task.home.table.dtype, exactly=False)


def verify_schedule(lowering: Lowering) -> None:
    """Every task has its place, results stand after their maker began, no home changes before its last read."""
    for task in lowering.tasks:
        _require(task.start >= 0, f"Task '{task.name}' has no place in the schedule")
        _require(all(vector.copies for vector in task.makes), f"A result of task '{task.name}' is nowhere")
        # Of a chain that was divided, `start` is that of the last part.
        ready = max((copy.ready for vector in task.makes for copy in vector.copies), default=task.start + 1)
        _require(ready > task.start, f"The results of task '{task.name}' stand in cycle {ready}, it began in {task.start}")
        if isinstance(task, Scattering):
            for old, new in zip(task.before, task.outs, strict=True):
                ready = new.copies[0].ready
                last = old.last_read
                _require(ready > last, f"Task '{task.name}' overwrites in cycle {ready} what is read in {last}")
        elif isinstance(task, Storing):
            last = task.before.last_read
            _require(task.start > last, f"Task '{task.name}' overwrites in cycle {task.start} what is read in {last}")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise VerifyError(f"{sentence}.")


def _text(found: tuple) -> str:
    shape, dtype = found
    return f"{dtype.text if dtype else 'of another type'}{list(shape)}"
