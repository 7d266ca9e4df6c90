"""Where vectors lie: words of slices, given out as a schedule needs them.

Constants fill a slice from its last word downwards, results each bank from its first word upwards; where these meet,
results take words whose own results have been read for the last time. A result takes the bank that is not read while it
is written.
"""

from bisect import insort

import numpy as np

from sw.arch.config import Config
from sw.compiler.board import Board
from sw.compiler.vectors import Copy, Vector


class MemoryFull(ValueError):
    """A model that does not fit; the text says what was to be placed and what room there is."""


class Memory:
    """The words of all slices."""

    def __init__(self, config: Config, slices: int):
        self.config = config
        #: Slice and bank -> first word that no result has.
        self._low = [[0, config.bank_words] for _ in range(slices)]
        self._high = [config.mem.words] * slices
        #: By slice and bank, in order: from which cycle on words may be written whose results nobody reads any more.
        self._freed: list[list[list[tuple[int, int]]]] = [[[], []] for _ in range(slices)]
        #: Constants: (slice, first word, bytes [words, lanes]).
        self.contents: list[tuple[int, int, object]] = []

    def pressure(self, s: int) -> int:
        """How much of a slice results take."""
        return sum(self._low[s]) - self.config.bank_words

    def constant_words(self, s: int) -> int:
        """How many words of a slice hold constants."""
        return self.config.mem.words - self._high[s]

    def allocate(self, s: int, words: int, board: Board, cycle: int, bank: int = 0) -> list[int] | None:
        """Words of a bank for results that are written from `cycle` on, consecutive ones while there are; None if there is
        no room."""
        low = self._low[s]
        start = low[bank]
        end = min(self._high[s], (bank + 1) * self.config.bank_words)
        if start + words > end:
            return self._again(self._freed[s][bank], words, board, cycle)
        low[bank] = start + words
        board.on_undo(lambda: low.__setitem__(bank, start))
        return list(range(start, start + words))

    def _again(self, freed: list[tuple[int, int]], words: int, board: Board, cycle: int) -> list[int] | None:
        """Words that are free again in a cycle."""
        if len(freed) < words or freed[words - 1][0] > cycle:
            return None
        taken = freed[:words]
        del freed[:words]
        board.on_undo(lambda: freed.extend(taken) or freed.sort())
        return [word for _, word in taken]

    def free(self, copy: Copy, cycle: int) -> None:
        """The words of a result's copy may be written again from a cycle on; those of a state stay its own."""
        for s, word in zip(copy.slices, copy.words, strict=True):
            bank = word // self.config.bank_words
            if word < self._low[s][bank]:
                insort(self._freed[s][bank], (cycle, word))

    def reserve(self, s: int, words: int) -> int | None:
        """Consecutive words of one bank that stay taken, for constants, inputs and tables; or None."""
        end, bank = self._high[s], self.config.bank_words
        if words <= bank and (end - words) // bank != (end - 1) // bank:
            end = end // bank * bank
        if end - words < self._low[s][(end - words) // bank]:
            return None
        self._high[s] = end - words
        return self._high[s]

    def place_tile(self, columns: list[np.ndarray], slices: list[int]) -> list[int]:
        """Puts constant columns into slices, as many at once as slices take; the first word in each slice."""
        raw = np.concatenate([as_bytes(column, self.config.vl) for column in columns])
        count = len(slices)
        first = [self.reserve(s, len(raw) // count) for s in slices]
        if None in first:
            raise MemoryFull(f"A tile of weights takes {len(raw) // count} words of {count} slices, no such room is left.")
        self.contents.extend((s, word, raw[j::count]) for j, (s, word) in enumerate(zip(slices, first, strict=True)))
        return first

    def place_constant(self, vector: Vector, slices: tuple[int, ...], board: Board) -> Copy | None:
        """A copy of a constant vector in these slices; None if there is no room."""
        before, words = {s: self._high[s] for s in slices}, []
        raw = as_bytes(vector.data, self.config.vl)
        for s in slices:
            words.append(self.reserve(s, 1))
        copy = Copy(slices, tuple(words), 0)
        count = len(self.contents)

        def back():
            del self.contents[count:]
            for s, high in before.items():
                self._high[s] = high

        board.on_undo(back)
        if None in words:
            return None
        self.contents.extend((s, word, raw[j : j + 1]) for j, (s, word) in enumerate(zip(slices, words, strict=True)))
        vector.copies.append(copy)
        board.on_undo(lambda: vector.copies.remove(copy))
        return copy


def as_bytes(values: np.ndarray, vl: int) -> np.ndarray:
    """uint8 [bytes, vl]: the lanes of each stream that a vector takes, low byte first; missing lanes are 0."""
    padded = np.zeros(vl, values.dtype)
    padded[: len(values)] = values
    return np.ascontiguousarray(padded.view(np.uint8).reshape(vl, -1).T)
