"""Where a tensor lies at the border of a chip, and how the host writes and reads it there."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sw.arch.dtype import DType


@dataclass(frozen=True)
class Binding:
    """A tensor at the host: `places[v]` gives slice and word of each byte of vector v, rows and then tiles."""

    shape: tuple[int, ...]
    dtype: DType
    places: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def regions(self) -> Iterator[tuple[tuple[int, int], int]]:
        """Its runs of words: ((slice, first word), words)."""
        words = sorted({at for place in self.places for at in place})
        first = 0
        for k in range(1, len(words) + 1):
            if k == len(words) or words[k] != (words[k - 1][0], words[k - 1][1] + 1):
                yield words[first], k - first
                first = k

    @property
    def last(self) -> int:
        """Length of the last axis."""
        return self.shape[-1] if self.shape else 1

    def pack(self, values: np.ndarray, vl: int) -> np.ndarray:
        """uint8 [vectors, bytes, vl]; a last axis of 1 is copied into every lane."""
        rows = np.ascontiguousarray(values).reshape(-1, self.last)
        width = -(-self.last // vl) * vl
        padded = np.zeros((len(rows), width), self.dtype.numpy)
        padded[:, : self.last] = rows
        if self.last == 1:
            padded[:] = rows
        lanes = padded.view(np.uint8).reshape(-1, vl, self.dtype.streams)
        return np.ascontiguousarray(lanes.transpose(0, 2, 1))

    def unpack(self, raw: np.ndarray) -> np.ndarray:
        """The tensor from uint8 [vectors, bytes, vl]."""
        lanes = np.ascontiguousarray(raw.transpose(0, 2, 1)).view(self.dtype.numpy)[..., 0]
        rows = int(np.prod(self.shape[:-1], dtype=np.int64))
        return lanes.reshape(rows, -1)[:, : self.last].reshape(self.shape)

    def write(self, machine, values: np.ndarray, vl: int) -> None:
        """Brings the tensor into a machine."""
        words = {}
        for place, raw in zip(self.places, self.pack(values, vl), strict=True):
            words.update(zip(place, raw, strict=True))
        for (s, first), count in self.regions:
            machine.write(s, first, np.stack([words[s, first + k] for k in range(count)]))

    def read(self, machine) -> np.ndarray:
        """The tensor that is in a machine."""
        words = {}
        for (s, first), count in self.regions:
            words.update(((s, first + k), row) for k, row in enumerate(machine.read(s, first, count)))
        return self.unpack(np.array([[words[at] for at in place] for place in self.places]))
