"""Reductions and lane movement."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import Tensor
from sw.compiler.lower.draft import ITEMS, Draft, grid_of
from sw.compiler.tasks import Permutation, Reduction
from sw.compiler.vectors import Vector

#: What folds two vectors of a reduction, and operands that one chain folds.
_FOLD = {"SUM": ("ADD", 4), "MAX": ("MAX", 8), "MIN": ("MIN", 8)}
#: Parts of a vector that one chain puts together.
_PARTS = 8


class Lanes:
    """Lowers reductions and moves."""

    def __init__(self, draft: Draft):
        self.draft = draft
        self._maps: dict[bytes, Vector] = {}

    def reduce(self, tensor: Tensor) -> np.ndarray:
        """The grid of a reduction: vectors are folded item by item, then the lanes of each."""
        (source,) = tensor.operands
        fn, axis = tensor.attributes["fn"], tensor.attributes["axis"]
        grid, last = self.draft.grids[source], len(source.shape) - 1
        name = tensor.name or fn.lower()
        if axis != last:
            rows = np.arange(len(grid)).reshape(source.shape[:-1])
            terms = [list(grid[index.reshape(-1)].reshape(-1)) for index in np.moveaxis(rows, axis, 0)]
            return grid_of(self._fold(fn, name, terms), self.draft.size(tensor))
        folded = self._fold(fn, name, [list(grid[:, t]) for t in range(grid.shape[1])])
        if source.shape[last] == 1:
            return grid_of(folded, self.draft.size(tensor))
        outs = {id(vector): Vector(tensor.dtype) for vector in folded}
        sources = list({id(vector): vector for vector in folded}.values())
        for first in range(0, len(sources), ITEMS):
            part = sources[first : first + ITEMS]
            self.draft.tasks.append(Reduction(name, fn, part, [outs[id(vector)] for vector in part]))
        return grid_of([outs[id(vector)] for vector in folded], self.draft.size(tensor))

    def _fold(self, fn: str, name: str, terms: list[list[Vector]]) -> list[Vector]:
        """Lists of vectors folded item by item, items of the same vectors once; an extreme takes each vector once."""
        fold, most = _FOLD[fn]
        if fn != "SUM":
            terms = list({tuple(map(id, term)): term for term in terms}.values())
        items = {tuple(map(id, item)): item for item in zip(*terms, strict=True)}
        made = self.draft.combine(fold, name, [list(term) for term in zip(*items.values(), strict=True)], most)
        found = dict(zip(items, made, strict=True))
        return [found[tuple(map(id, item))] for item in zip(*terms, strict=True)]

    def move(self, tensor: Tensor) -> np.ndarray:
        """Vectors that are wanted as they stand are taken as they are; all others are permuted and put together."""
        rows, tiles = self.draft.size(tensor)
        last = tensor.shape[-1] if tensor.shape else 1
        index = tensor.attributes["index"].reshape(rows, last)
        grid = np.empty((rows, tiles), object)
        wanted: dict[tuple, list] = {}
        shared: dict[tuple, Vector] = {}
        for r in range(rows):
            for t in range(tiles):
                part = index[r, t * self.draft.vl : (t + 1) * self.draft.vl]
                pieces = self._pieces(tensor.operands, part, everywhere=last == 1)
                if not pieces:
                    grid[r, t] = self.draft.zero[tensor.dtype]
                    continue
                if len(pieces) == 1 and pieces[0][1] is None:
                    grid[r, t] = pieces[0][0]
                    continue
                maps = tuple(lanes.tobytes() for _, lanes in pieces)
                same = *(id(vector) for vector, _ in pieces), maps
                if same not in shared:
                    shared[same] = Vector(tensor.dtype)
                    wanted.setdefault(maps, []).append((shared[same], pieces))
                grid[r, t] = shared[same]
        for group in wanted.values():
            self._permute(tensor, group)
        return grid

    def _pieces(self, sources: tuple[Tensor, ...], part: np.ndarray, everywhere: bool) -> list:
        """(vector, map of lanes or None if it is taken as it is) of each source vector of one result vector."""
        found: dict[int, tuple[Vector, np.ndarray]] = {}
        aligned = True
        bounds = np.cumsum([0, *(source.size for source in sources)])
        for lane, element in enumerate(part):
            if element < 0:
                aligned = False
                continue
            number = int(np.searchsorted(bounds, element, "right")) - 1
            source = sources[number]
            last = source.shape[-1] if source.shape else 1
            row, at = divmod(int(element - bounds[number]), last)
            vector = self.draft.grids[source][row, at // self.draft.vl]
            from_lane = lane if last == 1 else at % self.draft.vl
            if last == 1 and everywhere:
                from_lane = 0
            elif last > 1 and everywhere:
                aligned = False
            if from_lane != lane:
                aligned = False
            if id(vector) not in found:
                found[id(vector)] = vector, np.full(self.draft.vl, self.draft.vl, np.int16)
            found[id(vector)][1][lane] = from_lane
        if everywhere and not aligned:
            for vector, lanes in found.values():
                return [(vector, np.full(self.draft.vl, lanes[0], np.int16))]
        if len(found) == 1 and aligned:
            ((vector, _),) = found.values()
            return [(vector, None)]
        return list(found.values())

    def _permute(self, tensor: Tensor, group: list) -> None:
        """Result vectors that are made of source vectors by the same maps."""
        parts, wanted = [], [vector for vector, _ in group]
        bits = {1: DType.INT8, 2: DType.INT16, 4: DType.INT32}[tensor.dtype.streams]
        for k, (_, lanes) in enumerate(group[0][1]):
            sources = [pieces[k][0] for _, pieces in group]
            outs = wanted if len(group[0][1]) == 1 else [Vector(bits) for _ in group]
            by_map = self._maps.setdefault(lanes.tobytes(), Vector(DType.INT16, lanes))
            for first in range(0, len(outs), ITEMS):
                part = slice(first, first + ITEMS)
                self.draft.tasks.append(Permutation(tensor.name or "move", by_map, sources[part], outs[part]))
            parts.append(outs)
        if len(parts) > 1:
            self.draft.combine("OR", tensor.name or "move", parts, _PARTS, into=wanted)
