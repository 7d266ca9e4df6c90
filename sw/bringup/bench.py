"""What is brought up: chips whose registers can be reached, and programs run on all of them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sw.asm.image import Image
from sw.machine import Run


class Chip(Protocol):
    """One chip through its host port."""

    def read(self, place: str | int, addr: int, words: int) -> np.ndarray: ...

    def register(self, name: str) -> int: ...

    def set_register(self, name: str, value: int) -> None: ...


class Bench(Protocol):
    """All chips of a system, by their numbers. `run` begins each chip `delays` ps after the request, and tells how each
    chip's run ended; MachineError if one has not after `limit` cycles."""

    chips: Sequence[Chip]

    def load(self, images: Sequence[Image]) -> None: ...

    def run(self, iterations: int = 1, delays: Sequence[int] | None = None, limit: int = 1_000_000) -> list[Run]: ...
