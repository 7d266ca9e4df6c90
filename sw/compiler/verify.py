"""What must hold between two passes: rules of a graph, of its tasks, and of their schedule.

Each function raises VerifyError, a fault of the pass before it, with a sentence that names the
offender.
"""

from itertools import pairwise

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import COMPARISONS, SUMS, Graph, Tensor
from sw.compiler.lower.lowering import Lowering
from sw.compiler.tasks import Scattering, Storing, Task, topological


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
        case "bytes":
            return (operands[0].dtype.streams, *operands[0].shape), DType.INT8
        case "gather":
            return (operands[1].shape[0], operands[0].shape[1]), operands[0].dtype
        case "scatter" | "transfer":
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
            maker = makers.get(id(vector.whole))
            known = vector.data is not None or id(vector.whole) in given if maker is None else maker in task.after
            _require(known, f"Task '{task.name}' reads a vector of {vector.dtype.text} that is not there")
        for old in task.overwrites:
            _require(task.after >= set(old.readers) - {task}, f"Task '{task.name}' overwrites what others still read")
        for fault in task.faults():
            raise VerifyError(f"Task '{task.name}' {fault}.")


def verify_schedule(lowering: Lowering) -> None:
    """Every task has its place, results stand after their maker began, no home changes before its last read, and no word
    is taken by two results at once."""
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
    _verify_lives(lowering)


def _verify_lives(lowering: Lowering) -> None:
    """From the WRITE of a result until its last READ no other is written to its words."""
    lives: dict[tuple[int, int], list[tuple[int, int, str]]] = {}
    for task in lowering.tasks:
        for vector in dict.fromkeys(task.makes):
            parts = [vector, *vector.parts.values()]
            last = max(part.last_read for part in parts)
            for copy in (copy for part in parts for copy in part.copies if copy.writes and copy.reads):
                for queue, issue, word in copy.writes:
                    lives.setdefault((queue, word), []).append((issue, last, task.name))
    for spans in lives.values():
        spans.sort()
        for (_, last, name), (issue, _, other) in pairwise(spans):
            _require(issue >= last, f"Task '{other}' writes in cycle {issue} over a result of '{name}' that is read in {last}")


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise VerifyError(f"{sentence}.")


def _text(found: tuple) -> str:
    shape, dtype = found
    return f"{dtype.text if dtype else 'of another type'}{list(shape)}"
