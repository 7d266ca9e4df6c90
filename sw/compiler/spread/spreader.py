"""The pass: every tensor of a graph, in order, in the form that its rule gives it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sw.arch.system import System
from sw.compiler.border import Border, Piece
from sw.compiler.graph import Graph, Tensor
from sw.compiler.rebuild import live, remade
from sw.compiler.spread import moves
from sw.compiler.spread.columns import Columns
from sw.compiler.spread.form import Form
from sw.compiler.spread.rules import Rules
from sw.compiler.spread.sums import Sums
from sw.compiler.spread.values import Unfit, Values, named
from sw.compiler.spread.wires import Wires

#: For a tensor of the old graph the chip of each share.
Homes = Callable[[Tensor], Sequence[int]]


class Spreader:
    """One way of spreading a graph over chips.

    homes : where shares of a tensor are; a whole one is on each of these chips
    seeds : inputs that are shared from the beginning
    columns, inner : see `Rules`
    """

    def __init__(
        self,
        graph: Graph,
        system: System,
        shares: int,
        homes: Homes,
        seeds: Mapping[Tensor, Form],
        columns: Columns | None = None,
        inner: bool = True,
    ):
        self.old, self._system, self._shares, self._homes = graph, system, shares, homes
        self._seeds, self._columns, self._inner = seeds, columns, inner

    def run(self) -> tuple[Graph, Border]:
        """The new graph, and who has what of its inputs and outputs. GraphError if chips are not joined."""
        # A state takes the form of what is written to it, unless something needs more of it than that.
        forms: dict[str, Form | None] = {}
        while True:
            try:
                wishes = self._build(forms)
            except Unfit as state:
                forms[str(state)] = None
                continue
            if not wishes.keys() - forms.keys():
                return self._new, self._border
            forms = wishes | forms

    @property
    def shared(self) -> bool:
        """Whether chips have something different to do."""
        return any(form for tensor, form in self._values.form.items() if tensor not in self._seeds)

    def _build(self, states: Mapping[str, Form | None]) -> dict[str, Form]:
        self._new, self._border = Graph(self.old.name), Border({}, {})
        wires, vl = Wires(self._new, self._system), self._system.config.vl
        self._values = Values(self._new, wires, self._shares, vl, self._seeds)
        self._sums = Sums(self._new, wires, vl)
        self._rules = Rules(self._values, self._columns, self._inner)
        for tensor in live(self.old, {}):
            if tensor.op == "state":
                self._state(tensor, states.get(tensor.name))
            elif tensor.op == "move" and tensor.chip is not None:
                self._move(tensor)
            elif not self._values.free(tensor):
                self._primitive(tensor)
        wishes = dict(self._rules.wishes)
        for name, value in self.old.stores.items():
            self._store(name, value, wishes)
        self._outputs()
        self._inputs()
        return wishes

    def _seats(self, tensor: Tensor, shared: bool) -> dict[int, tuple[int, int]]:
        """Share and chip of each part of a tensor, by share if it is shared, else by chip."""
        homes = self._homes(tensor)
        if shared:
            return dict(enumerate(enumerate(homes)))
        return {chip: (0, chip) for chip in dict.fromkeys(homes)}

    def _state(self, tensor: Tensor, form: Form | None) -> None:
        parts, initial = {}, tensor.attributes["initial"]
        for key, (share, chip) in self._seats(tensor, form is not None).items():
            self._new.chip = chip
            values = initial if form is None else initial[form.key(share)]
            parts[key] = self._new.state(named(tensor.name, len(parts)), values, tensor.dtype)
        self._values.give(tensor, form, parts)

    def _store(self, name: str, value: Tensor, wishes: dict[str, Form]) -> None:
        state = self.old.states[name]
        form, found = self._values.form[state], self._values.form.get(value)
        if form is None and found:
            wishes.setdefault(name, found)
        elif form is not None and found not in (form, None):
            raise Unfit(name)
        for number, (share, chip) in enumerate(self._seats(state, form is not None).values()):
            self._new.store(named(name, number), self._values.have(value, form, share, chip))

    def _primitive(self, tensor: Tensor) -> None:
        plan = self._rules.plan(tensor)
        parts = {}
        for key, (share, chip) in self._seats(tensor, bool(plan.form or plan.combine)).items():
            pairs = zip(tensor.operands, plan.operands, strict=True)
            operands = [self._values.have(operand, form, share, chip) for operand, form in pairs]
            parts[key] = remade(self._new, tensor, operands)
        if plan.combine:
            self._new.scope = tensor.name
            parts = self._sums.combined(plan.combine, list(parts.values()), self._homes(tensor))
        self._values.give(tensor, plan.form, parts)

    def _move(self, tensor: Tensor) -> None:
        forms = [self._values.form.get(source) for source in tensor.operands]
        index, owner = tensor.attributes["index"], moves.owners(tensor, forms)
        form, parts = moves.division(owner, self._shares) if any(forms) else None, {}
        used = sorted({0, *(int(share) for share in np.unique(owner) if share >= 0)})
        for key, (share, chip) in self._seats(tensor, form is not None).items():
            pieces, places = [], []
            for source, found in zip(tensor.operands, forms, strict=True):
                if form is None and self._values.free(source):
                    found = None
                shares = [share] if form else used if found else [0]
                pieces += [self._values.have(source, found, s, chip) for s in shares]
                places.append(moves.numbers(source.shape, found, shares))
            self._new.scope = tensor.name
            parts[key] = moves.moved(self._new, pieces, places, index[form.key(share)] if form else index)
        self._values.give(tensor, form, parts)

    def _outputs(self) -> None:
        for name, value in self.old.outputs.items():
            form, pieces = self._values.form.get(value), []
            for share, chip in enumerate(self._homes(value) if form else self._homes(value)[:1]):
                piece = named(name, share)
                pieces.append(Piece(piece, form.axis, *form.ends[share : share + 2]) if form else Piece(piece))
                self._new.output(piece, self._values.have(value, form, share, chip))
            self._border.outputs[name] = tuple(pieces)

    def _inputs(self) -> None:
        """Who has inputs, of which one that nobody needs is on one chip."""
        for name, value in self.old.inputs.items():
            if name not in self._values.pieces:
                self._values.have(value, None, 0, self._homes(value)[0])
            self._border.inputs[name] = tuple(self._values.pieces[name])
