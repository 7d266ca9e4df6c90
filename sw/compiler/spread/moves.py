"""Which share of a moved tensor comes from which share of its sources."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sw.compiler.graph import Graph, Tensor
from sw.compiler.spread.form import Form


def owners(tensor: Tensor, forms: Sequence[Form | None]) -> np.ndarray:
    """For every element of a move the share of its source that it comes from, -1 for what everyone has."""
    flat = []
    for source, form in zip(tensor.operands, forms, strict=True):
        owner = np.full(source.shape, -1)
        if form:
            for share in range(len(form.ends) - 1):
                owner[form.key(share)] = share
        flat.append(owner.reshape(-1))
    index = tensor.attributes["index"]
    return np.where(index < 0, -1, np.concatenate(flat)[index])


def division(owner: np.ndarray, shares: int) -> Form | None:
    """An axis of which each share has all that it needs of its own, none empty; None if there is none."""
    for axis, size in enumerate(owner.shape):
        lines = np.moveaxis(owner, axis, 0).reshape(size, -1)
        most, least = lines.max(axis=1), np.where(lines < 0, shares, lines).min(axis=1)
        # Lines that everyone has go to the share before them.
        line = np.maximum.accumulate(most)
        if ((most >= 0) & ((most != least) | (most < line))).any():
            continue
        ends = (0, *(int(end) for end in np.searchsorted(line, range(1, shares))), size)
        if all(begin < end for begin, end in pairwise(ends)):
            return Form(axis, ends)
    return None


def numbers(shape: Sequence[int], form: Form | None, shares: Sequence[int]) -> np.ndarray:
    """Place of every element among these shares of a tensor, each flat, one after the other; -1 for what they have not."""
    size = int(np.prod(shape, dtype=np.int64))
    if form is None:
        return np.arange(size)
    places, first = np.full(shape, -1), 0
    for share in shares:
        part = places[form.key(share)]
        part[...] = first + np.arange(part.size).reshape(part.shape)
        first += part.size
    return places.reshape(-1)


def moved(graph: Graph, pieces: Sequence[Tensor], places: Sequence[np.ndarray], index: np.ndarray) -> Tensor:
    """What `index` takes from sources of whose elements `places` tells where they are in all pieces of the source."""
    first, found = 0, []
    for place in places:
        found.append(np.where(place < 0, -1, place + first))
        first += int(place.max(initial=-1)) + 1
    taken = np.where(index < 0, -1, np.concatenate(found)[index])
    if len(pieces) == 1 and pieces[0].shape == taken.shape and np.array_equal(taken.reshape(-1), np.arange(taken.size)):
        return pieces[0]
    return graph.move(pieces, taken)
