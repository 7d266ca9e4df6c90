"""Schemes by which a graph is spread over the chips of a system."""

from sw.arch.system import System
from sw.compiler.border import Border
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.compiler.spread.columns import Columns
from sw.compiler.spread.form import Form, even
from sw.compiler.spread.spreader import Spreader
from sw.compiler.spread.stages import stages

#: `columns`: products by columns and then, over what is shared, by sums over chips, `outputs`: by columns alone, their
#: results gathered, `rows`: rows of inputs, `pipeline`: one part of the graph after the other.
SCHEMES = ("columns", "outputs", "rows", "pipeline")


def spread(graph: Graph, system: System, scheme: str, batches: int = 1) -> tuple[Graph, Border]:
    """An equal graph over all chips of a system, and what each chip has of its inputs and outputs.

    batches : of a pipeline, into how many the rows of inputs are divided, so that chips work at once
    GraphError in a sentence where there are more chips than rows, columns or operations to share.
    """
    if scheme not in SCHEMES:
        raise GraphError(f"There is no scheme '{scheme}'; there are {', '.join(SCHEMES)}.")
    if batches < 1 or batches > 1 and scheme != "pipeline":
        raise GraphError(f"A graph spread by {scheme} has {batches} batches; a pipeline may have several, all others have 1.")
    if any(tensor.chip for tensor in graph.tensors):
        raise GraphError(f"'{graph.name}' is over several chips already.")
    chips = system.chips
    if chips == 1:
        return graph, Border()
    if scheme == "pipeline":
        stage = stages(graph, system)
        seeds = rows(graph, batches, "batches") if batches > 1 else {}
        return Spreader(graph, system, batches, lambda tensor: (stage.get(tensor, 0),) * batches, seeds).run()
    if scheme == "rows":
        return Spreader(graph, system, chips, lambda _: range(chips), rows(graph, chips, "chips")).run()
    columns = Columns(graph, chips, system.config.vl)
    spreader = Spreader(graph, system, chips, lambda _: range(chips), {}, columns, scheme == "columns")
    made = spreader.run()
    if not spreader.shared:
        raise GraphError(f"No product of '{graph.name}' has as many columns as there are chips, {chips}.")
    return made


def rows(graph: Graph, shares: int, what: str) -> dict[Tensor, Form]:
    """Inputs shared along the first axis in front of the last that has a row for each share. GraphError if none has."""
    found = {}
    for tensor in graph.inputs.values():
        for axis, size in enumerate(tensor.shape[:-1]):
            if ends := even(size, shares):
                found[tensor] = Form(axis, ends)
                break
    if not found:
        most = max((max(tensor.shape[:-1], default=1) for tensor in graph.inputs.values()), default=0)
        raise GraphError(f"Inputs of '{graph.name}' have {most} rows at most, {shares} {what} cannot share them.")
    return found
