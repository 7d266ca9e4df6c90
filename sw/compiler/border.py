"""How the host divides the inputs of a model over chips, and joins their outputs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Piece:
    """A tensor at one chip: `name` there, and which elements of `axis` it has; all of them where there is no axis."""

    name: str
    axis: int | None = None
    begin: int = 0
    end: int = 0

    def of(self, whole: np.ndarray) -> np.ndarray:
        """These elements."""
        return whole if self.axis is None else whole.take(range(self.begin, self.end), self.axis)


@dataclass(frozen=True)
class Border:
    """For inputs and outputs of a model by name the pieces of which a graph over chips has them; a name that is not there
    is that of the graph.

    Pieces of an input may be alike or overlap; those of an output follow each other on one axis, or are one.
    """

    inputs: Mapping[str, tuple[Piece, ...]] = field(default_factory=dict)
    outputs: Mapping[str, tuple[Piece, ...]] = field(default_factory=dict)

    def divide(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph's inputs from the model's."""
        found = {}
        for name, value in values.items():
            for piece in self.inputs.get(name, (Piece(name),)):
                found[piece.name] = piece.of(np.asarray(value))
        return found

    def join(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The model's outputs from the graph's."""
        found = {name: values[name] for name in self.joined(values) if name not in self.outputs}
        for name, parts in self.outputs.items():
            arrays = [values[piece.name] for piece in parts]
            found[name] = arrays[0] if len(parts) == 1 else np.concatenate(arrays, parts[0].axis)
        return found

    def joined(self, names: Iterable[str]) -> list[str]:
        """Names of the model's outputs, from those of the graph."""
        pieces = {piece.name for parts in self.outputs.values() for piece in parts}
        return [*self.outputs, *(name for name in names if name not in pieces)]
