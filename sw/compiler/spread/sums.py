"""What every chip has a part of, combined over all."""

from collections.abc import Mapping, Sequence
from functools import reduce

from sw.compiler import layout
from sw.compiler.graph import Graph, Tensor
from sw.compiler.spread.form import Form, even
from sw.compiler.spread.wires import Wires


class Sums:
    """Sums, largest or smallest values over the parts of several chips, the same bits on every one."""

    def __init__(self, new: Graph, wires: Wires, vl: int):
        self._new, self._wires, self._vl = new, wires, vl

    def combined(self, fn: str, parts: Sequence[Tensor], homes: Sequence[int]) -> dict[int, Tensor]:
        """By chip what all parts are together, share s on chip `homes[s]`.

        All go to all and are taken in one order; but what three chips or more can divide among them they combine in
        shares, one each, and gather those.
        """
        chips = list(dict.fromkeys(homes))
        form = self._division(parts[0], len(chips)) if len(chips) == len(parts) > 2 else None
        if form is None:
            return {chip: self._folded(fn, [self._wires.at(part, chip) for part in parts]) for chip in chips}
        shares = [self._collected(fn, parts, form, share, chip) for share, chip in enumerate(chips)]
        return {chip: layout.concat([self._wires.at(share, chip) for share in shares], form.axis) for chip in chips}

    def _division(self, part: Tensor, chips: int) -> Form | None:
        """Whole vectors for each chip, of an axis in front of the last where there are as many."""
        for axis, size in enumerate(part.shape):
            ends = even(size, chips, (self._vl if axis == len(part.shape) - 1 else 1,))
            if ends:
                return Form(axis, ends)
        return None

    def _collected(self, fn: str, parts: Sequence[Tensor], form: Form, share: int, root: int) -> Tensor:
        """One share of the result on chip `root`: what comes by a chip is combined with its own."""
        coming: dict[int, list[Tensor]] = {part.chip: [layout.take(part, form.key(share))] for part in parts}
        onward: Mapping[int, int] = self._wires.way_out(root)
        for chip in reversed(list(onward)):
            if chip in coming:
                coming.setdefault(onward[chip], []).append(self._wires.at(self._folded(fn, coming[chip]), onward[chip]))
        return self._folded(fn, coming[root])

    def _folded(self, fn: str, terms: Sequence[Tensor]) -> Tensor:
        # Sums of integers are modulo 2^32, as those inside of a product and a reduction.
        operation = "ADD" if fn == "SUM" else fn
        return reduce(lambda a, b: self._new.elementwise(operation, a, b, overflow="mod"), terms)
