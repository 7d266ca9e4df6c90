"""In which order a graph is lowered, and what comes after what among its tasks."""

from sw.compiler.chains import runs
from sw.compiler.chip import Chip
from sw.compiler.graph import Graph, Tensor
from sw.compiler.tasks import Chain, Operand, Product, Stage, Task
from sw.compiler.vectors import Vector


def tensors(graph: Graph, chains: dict[Tensor, list[Tensor]]) -> list[Tensor]:
    """Tensors so that a chain comes when all that its members need is there; `chains` by their last member."""
    done: set[Tensor] = set()
    order: list[Tensor] = []
    chain_end = {member: chain[-1] for chain in chains.values() for member in chain}

    def visit(tensor: Tensor) -> None:
        stack = [(chain_end.get(tensor, tensor), False)]
        while stack:
            current, expanded = stack.pop()
            if current in done:
                continue
            members = chains.get(current, [current])
            if expanded:
                done.update(members)
                order.append(current)
                continue
            stack.append((current, True))
            for member in members:
                for operand in member.operands:
                    end = chain_end.get(operand, operand)
                    if end is not current and end not in done:
                        stack.append((end, False))

    for tensor in graph.tensors:
        visit(tensor)
    return order


def send_both_ways(tasks: list[Task], chip: Chip) -> None:
    """Activations for planes of both hemispheres leave the vector unit twice, by a further stage of their chain."""
    makers = {id(out[0]): task for task in tasks if isinstance(task, Chain) for out in [task.outs[max(task.outs)]]}
    products: dict[Task, list[Product]] = {}
    for task in tasks:
        if isinstance(task, Product):
            for maker in dict.fromkeys(makers[id(v.whole)] for group in task.acts for v in group if id(v.whole) in makers):
                products.setdefault(maker, []).append(task)
    for maker, users in products.items():
        last = max(maker.outs)
        kind = maker.stages[last].to if maker.stages[last].fn == "CONVERT" else maker.stages[last].dtype
        twice = [*maker.stages, Stage("MOV", kind, kind, "sat", (Operand("PREV"),))]
        sides = {chip.planes[user.plane].hemisphere for user in users}
        if last != len(maker.stages) - 1 or sides != {0, 1} or not runs(chip, twice):
            continue
        twins = {id(vector): Vector(vector.dtype) for vector in maker.outs[last]}
        maker.outs[last + 1] = list(twins.values())
        maker.stages = twice
        for user in users:
            if chip.planes[user.plane].hemisphere == 0:
                user.acts = [[_twin(v, twins) for v in group] for group in user.acts]


def link(tasks: list[Task]) -> None:
    """Who comes after whom: makers before readers, readers of old rows before their writer."""
    makers = {id(vector): task for task in tasks for vector in task.makes}
    for task in tasks:
        for vector in task.needs:
            vector.whole.readers.append(task)
            if id(vector.whole) in makers:
                task.after.add(makers[id(vector.whole)])
    for task in tasks:
        for vector in task.overwrites:
            task.after.update(reader for reader in vector.readers if reader is not task)
            if id(vector) in makers:
                task.after.add(makers[id(vector)])


def _twin(vector: Vector, twins: dict[int, Vector]) -> Vector:
    """The twin of a vector, or that byte of its twin, or itself if it has none."""
    twin = twins.get(id(vector.whole))
    if twin is None:
        return vector
    return twin if vector.number is None else twin.byte(vector.number)
