"""What the new graph has of every tensor of the old one."""

from collections.abc import Mapping

import numpy as np

from sw.compiler import layout
from sw.compiler.border import Piece
from sw.compiler.evaluate import value_of
from sw.compiler.graph import Graph, Tensor
from sw.compiler.spread.form import Form
from sw.compiler.spread.wires import Wires


class Unfit(Exception):
    """A state is shared and would have to be whole; its name."""


class Values:
    """Gives tensors of the old graph on a chip of the new one, whole or a share of them.

    Inputs and what is known now are free: in every form at once, at no cost. The rest has one form and is brought into
    others: a whole tensor is cut where it is, a shared one is gathered.

    Attributes
    ----------
    form : of the tensors that have one, None for those that are whole
    pieces : of every input, as the host writes it
    """

    def __init__(self, new: Graph, wires: Wires, shares: int, vl: int, seeds: Mapping[Tensor, Form]):
        self._new, self._wires, self._shares, self._vl = new, wires, shares, vl
        self.form: dict[Tensor, Form | None] = dict(seeds)
        self.pieces: dict[str, list[Piece]] = {}
        #: By share of a tensor that is shared, by chip of one that is whole.
        self._parts: dict[Tensor, dict[int, Tensor]] = {}
        self._made: dict[tuple, Tensor] = {}
        self._known: dict[Tensor, np.ndarray] = {}

    def free(self, tensor: Tensor) -> bool:
        """Whether any form of a tensor can be had at no cost."""
        return tensor.chip is None or tensor.op == "input"

    def give(self, tensor: Tensor, form: Form | None, parts: dict[int, Tensor]) -> None:
        """What the new graph has of a tensor: parts by share, or by chip if each is all of it."""
        self.form[tensor], self._parts[tensor] = form, parts

    def have(self, tensor: Tensor, form: Form | None, share: int, chip: int) -> Tensor:
        """A share of a tensor on a chip, or all of it where `form` is None. Unfit if that takes a state to pieces."""
        if not self.free(tensor) and form == self.form[tensor]:
            return self._native(tensor, share, chip)
        key = (tensor, form, share if form else 0, None if tensor.chip is None else chip)
        if key not in self._made:
            self._new.scope, self._new.chip = tensor.name, chip
            self._made[key] = self._other(tensor, form, share, chip)
        return self._made[key]

    def _native(self, tensor: Tensor, share: int, chip: int) -> Tensor:
        parts = self._parts[tensor]
        if self.form[tensor] is not None:
            return self._wires.at(parts[share], chip)
        return parts[chip] if chip in parts else self._wires.at(next(iter(parts.values())), chip)

    def _other(self, tensor: Tensor, form: Form | None, share: int, chip: int) -> Tensor:
        if tensor.chip is None:
            values = self.known(tensor)
            return self._new.constant(values if form is None else values[form.key(share)], tensor.dtype)
        if tensor.op == "input":
            return self._input(tensor, form, share)
        native = self.form[tensor]
        if native is not None and (name := state_of(tensor)):
            raise Unfit(name)
        if form is not None:
            return layout.take(self.have(tensor, None, 0, chip), form.key(share))
        return layout.concat([self._native(tensor, s, chip) for s in range(self._shares)], native.axis)

    def _input(self, tensor: Tensor, form: Form | None, share: int) -> Tensor:
        pieces = self.pieces.setdefault(tensor.name, [])
        name = named(tensor.name, len(pieces))
        if form is None:
            pieces.append(Piece(name))
            return self._new.input(name, tensor.shape, tensor.dtype)
        begin, end = form.ends[share : share + 2]
        pieces.append(Piece(name, form.axis, begin, end))
        shape = [end - begin if axis == form.axis else size for axis, size in enumerate(tensor.shape)]
        return self._new.input(name, shape, tensor.dtype)

    def known(self, tensor: Tensor) -> np.ndarray:
        """Numbers of a tensor that are known now."""
        if tensor.op == "constant":
            return tensor.attributes["values"]
        if tensor not in self._known:
            operands = [self.known(operand) for operand in tensor.operands]
            with np.errstate(all="ignore"):
                self._known[tensor] = value_of(tensor, operands, self._vl)
        return self._known[tensor]


def state_of(tensor: Tensor) -> str | None:
    """Name of the state that a tensor is, as it was or with rows replaced."""
    while tensor.op == "scatter":
        tensor = tensor.operands[0]
    return tensor.name if tensor.op == "state" else None


def named(name: str, number: int) -> str:
    """A name of its own for every further one."""
    return f"{name}@{number}" if number else name
