"""What a chip holds while it runs: memory, which survives iterations, and the values of one iteration."""

from dataclasses import dataclass, field

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.machine import Fault


class Memory:
    """All MEM slices. Word number `slice * words + addr` is a row of `data`; bit r of `written` tells that
    its superlane r holds something."""

    def __init__(self, config: Config):
        self.config = config
        words = len(floorplan(config).slices) * config.mem.words
        self.data = np.zeros((words, config.vl), np.uint8)
        self.written = np.zeros(words, np.uint32)
        self.full = np.uint32((1 << config.superlanes) - 1)

    @property
    def tiles(self) -> np.ndarray:
        """The same data as [word, superlane, lane]."""
        return self.data.reshape(len(self.data), self.config.superlanes, self.config.lanes)

    def store(self, word: int, vectors: np.ndarray) -> None:
        """Whole words from `word` on."""
        self.data[word : word + len(vectors)] = vectors
        self.written[word : word + len(vectors)] = self.full


@dataclass
class State:
    """Values of one iteration; numbers are given out by the graph and the units."""

    memory: Memory
    #: Vectors that stand on streams: uint8 [row, VL].
    rows: np.ndarray
    #: Results that ALUs pass on in the chain: uint32 [number, VL].
    chain: np.ndarray
    #: Sums of the MXM passes, with what ACC added to them: uint32 [pass, VL].
    sums: np.ndarray
    #: Cycle 0 of this iteration in cycles since the start.
    origin: int = 0
    #: The same of all chips that run together.
    peers: list["State"] = field(default_factory=list)
    #: (cycle in which the superlane met it, queue number, fault).
    faults: list[tuple[int, int, Fault]] = field(default_factory=list)
    #: (cycle, slice, address, superlane, lanes) of what SCATTER wrote, batch by batch.
    scattered: list[tuple[np.ndarray, ...]] = field(default_factory=list)
