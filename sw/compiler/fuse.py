"""Elementwise operations that follow each other become chains of ALUs.

Of a tensor's operands the one that comes last is handed over inside the vector unit, the others come on streams. A
link is not made where the other operands need, through something else, what the chain itself computes.
"""

from sw.arch.dtype import DType
from sw.compiler.chains import runs
from sw.compiler.chip import Chip
from sw.compiler.graph import Graph, Tensor
from sw.compiler.tasks import Operand, Stage

#: About how many cycles a primitive takes, chained or through memory.
_WEIGHT = {"elementwise": 5, "dot": 40, "reduce": 50, "move": 30, "gather": 20, "scatter": 20}


class Links:
    """Which elementwise tensor hands its result to which: `next` and `before` of the linked ones."""

    def __init__(self, graph: Graph, chip: Chip):
        self.graph, self.chip = graph, chip
        self.order = {tensor: k for k, tensor in enumerate(graph.tensors)}
        self.next: dict[Tensor, Tensor] = {}
        self.before: dict[Tensor, Tensor] = {}
        self._fits: dict[tuple, bool] = {}
        depth, height = self._depths(), self._heights()
        # Whose result is waited for most chooses first.
        for tensor in sorted(filter(chained, graph.tensors), key=lambda t: (-height[t], self.order[t])):
            for operand in sorted(dict.fromkeys(self._candidates(tensor)), key=lambda t: -depth[t]):
                if self._may(operand, tensor):
                    self.next[operand], self.before[tensor] = tensor, operand
                    break

    def chains(self) -> list[list[Tensor]]:
        """All chains, in an order of evaluation of their last tensors."""
        found = []
        for tensor in self.graph.tensors:
            if chained(tensor) and tensor not in self.next:
                chain = [tensor]
                while chain[-1] in self.before:
                    chain.append(self.before[chain[-1]])
                found.append(chain[::-1])
        return found

    def _depths(self) -> dict[Tensor, int]:
        """About how late a tensor is there."""
        depth: dict[Tensor, int] = {}
        for tensor in self.graph.tensors:
            depth[tensor] = max((depth[o] for o in tensor.operands), default=0) + _WEIGHT.get(tensor.op, 0)
        return depth

    def _heights(self) -> dict[Tensor, int]:
        """About how long it takes from a tensor to the end."""
        height = dict.fromkeys(self.graph.tensors, 0)
        for tensor in reversed(self.graph.tensors):
            height[tensor] += _WEIGHT.get(tensor.op, 0)
            for operand in tensor.operands:
                height[operand] = max(height[operand], height[tensor])
        return height

    def _candidates(self, tensor: Tensor) -> tuple[Tensor, ...]:
        operands = tensor.operands[:1] if tensor.attributes["fn"] == "SELECT" else tensor.operands
        return tuple(o for o in operands if chained(o) and o.shape == tensor.shape and o not in self.next)

    def _may(self, operand: Tensor, tensor: Tensor) -> bool:
        chain = [tensor]
        while chain[-1] in self.next:
            chain.append(self.next[chain[-1]])
        chain = [*reversed(chain), operand]
        while chain[-1] in self.before:
            chain.append(self.before[chain[-1]])
        stages = [stage_key(t) for t in reversed(chain)]
        if chain[-1].attributes["fn"] == "SELECT":
            # Its mask comes from a stage that does nothing else.
            stages.insert(0, ("MOV", DType.INT8))
        key = tuple(stages)
        if key not in self._fits:
            self._fits[key] = bool(runs(self.chip, [Stage(fn, dtype, dtype, "sat", ()) for fn, dtype in stages]))
        return self._fits[key] and not self._circular(chain)

    def _circular(self, chain: list[Tensor]) -> bool:
        """Whether another operand of a chain, given last member first, needs something of that chain."""
        members = set(chain)
        for member, before in zip(chain, chain[1:], strict=False):
            values = member.operands[1:] if member.attributes["fn"] == "SELECT" else set(member.operands) - {before}
            if members.intersection(values):
                return True
        first = self.order[chain[-1]]
        todo = [o for member in members for o in member.operands if o not in members]
        seen = set(todo)
        while todo:
            current = todo.pop()
            # A whole chain waits for all that any of its members needs.
            group = self._group(current)
            if members & group:
                return True
            for member in group:
                for operand in member.operands:
                    if operand not in seen and operand not in group:
                        if operand in members:
                            return True
                        if self.order[operand] > first:
                            seen.add(operand)
                            todo.append(operand)
        return False

    def _group(self, tensor: Tensor) -> set[Tensor]:
        group, current = {tensor}, tensor
        while current in self.before:
            current = self.before[current]
            group.add(current)
        current = tensor
        while current in self.next:
            current = self.next[current]
            group.add(current)
        return group


def chained(tensor: Tensor) -> bool:
    """Whether a tensor is computed by an ALU; the same bits as another type are not."""
    return tensor.op == "elementwise" and tensor.attributes["fn"] != "BITCAST"


def stage_key(tensor: Tensor) -> tuple:
    """Operation and type that a tensor's stage has."""
    return tensor.attributes["fn"], tensor.operands[-1].dtype


def stage(tensor: Tensor, operands: tuple[Operand, ...]) -> Stage:
    """The stage that computes a tensor."""
    fn, dtype = stage_key(tensor)
    return Stage(fn, dtype, tensor.dtype, tensor.attributes["overflow"], operands)
