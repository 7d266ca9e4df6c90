"""Lowers what goes to other chips and comes from them."""

import numpy as np

from sw.compiler.graph import Tensor
from sw.compiler.lower.draft import Draft
from sw.compiler.tasks import Arrival, Departure
from sw.compiler.vectors import Vector

#: Vectors of one departure at the most, so that the first ones need not wait for the last.
VECTORS = 4


class Borders:
    """Makes departures and arrivals, both in parts of the same vectors."""

    def __init__(self, draft: Draft):
        self.draft = draft

    def depart(self, number: int, value: Tensor) -> None:
        """Sends a tensor off."""
        for part, vectors in enumerate(_parts(self.draft.grids[value])):
            for vector in vectors:
                # Bytes are followed from the beginning, since they leave one by one.
                vector.each_byte()
            self.draft.tasks.append(Departure(value.name, number, part, vectors))

    def arrive(self, tensor: Tensor) -> np.ndarray:
        """The vectors of a tensor from elsewhere."""
        grid, number = self.draft.fresh(tensor), tensor.attributes["number"]
        self.draft.tasks += [Arrival(tensor.name, number, k, vectors) for k, vectors in enumerate(_parts(grid))]
        return grid


def _parts(grid: np.ndarray) -> list[list[Vector]]:
    vectors = list(grid.flat)
    return [vectors[k : k + VECTORS] for k in range(0, len(vectors), VECTORS)]
