"""Chains that begin with what the chain computes that they wait for, so that nothing is sent off and fetched in between."""

from collections import Counter
from dataclasses import replace

from sw.compiler.chains import runs
from sw.compiler.chip import Chip
from sw.compiler.tasks import Chain, Operand, Stage, Task
from sw.compiler.vectors import Vector

#: Items of a chain up to which it begins with another: long chains of many items find their places later.
FEW = 4
#: Operations, over all items of a chain, that are rather computed twice than fetched.
TWICE = 1


def prefixed(tasks: list[Task], chip: Chip, kept: set[int]) -> list[Task]:
    """Tasks in which a chain computes its first operand itself where another chain does so too, in an order in which
    makers come first. What nobody else wants then is computed there alone.

    kept : vectors, by id, that somebody else than tasks wants
    """
    makers = {id(out[0]): task for task in tasks if isinstance(task, Chain) for out in task.outs.values()}
    uses = Counter(id(vector.whole) for task in tasks for vector in task.needs)
    gone: set[Task] = set()
    for task in tasks:
        operands = task.stages[0].operands if isinstance(task, Chain) else ()
        for operand in operands:
            items = task.args[operand.value] if operand.kind == "ARG" else []
            maker = makers.get(id(items[0])) if items else None
            number = next((k for k, out in maker.outs.items() if out == items), None) if maker else None
            if number is None or len(items) > FEW:
                continue
            alone = list(maker.outs) == [number] and all(uses[id(v)] == 1 and id(v) not in kept for v in items)
            if not alone and (number + 1) * len(items) > TWICE:
                continue
            begun = _begun(task, operand, maker.stages[: number + 1], maker.args)
            if begun is not None and runs(chip, begun.stages):
                uses.subtract(id(vector.whole) for vector in items)
                if alone:
                    gone.add(maker)
                else:
                    uses.update(id(v.whole) for arg in begun.args[len(task.args) - 1 :] for v in arg)
                task.stages, task.args, task.outs = begun.stages, begun.args, begun.outs
                break
    return [task for task in tasks if task not in gone]


def _begun(task: Chain, operand: Operand, again: list[Stage], args: list[list[Vector]]) -> Chain | None:
    """A chain with stages in front that make the operand of its first stage; None if it takes that more than once."""
    first, *rest = task.stages
    if again[-1].to is not first.dtype or first.operands.count(operand) > 1 or any(operand in s.operands for s in rest):
        return None
    kept = [k for k in range(len(task.args)) if k != operand.value]
    used = sorted({o.value for stage in again for o in stage.operands if o.kind == "ARG"})
    own = {operand: Operand("PREV")} | {Operand("ARG", k): Operand("ARG", new) for new, k in enumerate(kept)}
    added = {Operand("ARG", k): Operand("ARG", len(kept) + new) for new, k in enumerate(used)}
    stages = [*(_renamed(stage, added) for stage in again), *(_renamed(stage, own) for stage in task.stages)]
    outs = {number + len(again): out for number, out in task.outs.items()}
    return Chain(task.name, stages, [*(task.args[k] for k in kept), *(args[k] for k in used)], outs)


def _renamed(stage: Stage, names: dict[Operand, Operand]) -> Stage:
    return replace(stage, operands=tuple(names.get(operand, operand) for operand in stage.operands))
