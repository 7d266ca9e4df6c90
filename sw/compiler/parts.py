"""A graph that is spread over chips, as one graph for each chip."""

from sw.compiler.graph import Graph, Tensor
from sw.compiler.rebuild import remade


def parts(graph: Graph, chips: int) -> list[Graph]:
    """The graph of every chip. A transfer becomes a departure of one and an arrival of another, of the same number.

    What is known now is on each chip that needs it. The graph is normalised; chips are below `chips`.
    """
    return [_part(graph, chip) for chip in range(chips)]


def _part(graph: Graph, chip: int) -> Graph:
    part, of = Graph(graph.name), {}
    part.chip = chip

    def here(tensor: Tensor) -> Tensor:
        if tensor not in of:
            of[tensor] = remade(part, tensor, ())
        return of[tensor]

    for number, tensor in enumerate(graph.tensors):
        if tensor.op == "transfer":
            (source,) = tensor.operands
            if tensor.chip == chip:
                part.scope = tensor.name
                of[tensor] = part.arrival(number, tensor.shape, tensor.dtype)
            elif source.chip == chip:
                part.departures[number] = here(source)
        elif tensor.chip == chip:
            of[tensor] = remade(part, tensor, [here(operand) for operand in tensor.operands])
    for name, value in graph.stores.items():
        if graph.states[name].chip == chip:
            part.stores[name] = here(value)
    for name, value in graph.outputs.items():
        if (value.chip or 0) == chip:
            part.outputs[name] = here(value)
    return part
