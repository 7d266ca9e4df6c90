"""Making a graph anew from another, tensor by tensor: what passes from graph to graph share."""

from collections.abc import Mapping, Sequence

from sw.compiler.graph import Graph, GraphError, Tensor


def live(graph: Graph, instead: Mapping[Tensor, Tensor]) -> list[Tensor]:
    """Tensors that outputs and states need, in order, and every input and state.

    instead : tensors that shall need only the one given here, rather than their operands
    """
    needed: set[Tensor] = {*graph.inputs.values(), *graph.states.values()}
    waiting = [*graph.stores.values(), *graph.outputs.values(), *needed]
    needed.update(waiting)
    while waiting:
        tensor = waiting.pop()
        for operand in (instead[tensor],) if tensor in instead else tensor.operands:
            if operand not in needed:
                needed.add(operand)
                waiting.append(operand)
    return [tensor for tensor in graph.tensors if tensor in needed]


def remade(graph: Graph, tensor: Tensor, operands: Sequence[Tensor]) -> Tensor:
    """In `graph`, what `tensor` is in its own, from `operands`."""
    graph.scope, attributes = tensor.name, tensor.attributes
    if tensor.chip is not None:
        graph.chip = tensor.chip
    match tensor.op:
        case "input":
            return graph.input(tensor.name, tensor.shape, tensor.dtype)
        case "constant":
            return graph.constant(attributes["values"], tensor.dtype)
        case "state":
            return graph.state(tensor.name, attributes["initial"], tensor.dtype)
        case "elementwise":
            to = tensor.dtype if attributes["fn"] in ("CONVERT", "BITCAST") else None
            return graph.elementwise(attributes["fn"], *operands, to=to, overflow=attributes["overflow"])
        case "dot":
            return graph.dot(*operands)
        case "reduce":
            return graph.reduce(attributes["fn"], *operands, attributes["axis"])
        case "move":
            return graph.move(operands, attributes["index"])
        case "bytes":
            return graph.bytes(*operands)
        case "gather":
            return graph.gather(*operands)
        case "scatter":
            return graph.scatter(*operands)
        case "transfer":
            return graph.transfer(*operands, attributes["chip"])
    raise GraphError(f"There is no primitive '{tensor.op}'.")
