"""Hsiao SECDED code over one superlane's word of 8*lanes bits.

Every column of the parity matrix has odd weight: a data bit's 3 or more, a check bit's 1. One wrong bit gives
an odd syndrome equal to its column, two wrong bits an even one that is not zero. The all-zero word is valid.
(M. Y. Hsiao, "A class of optimal minimum odd-weight-column SEC-DED codes", 1970.)
"""

from functools import cache
from itertools import combinations

import numpy as np

CHECK_BITS = {8: 5, 16: 6, 32: 7, 64: 8, 128: 9}
"""Data bits of a word -> check bits."""


def _balanced_columns(data_bits: int, check_bits: int) -> tuple[int, ...]:
    """Distinct odd-weight columns, lightest first, chosen to keep the rows' loads even."""
    columns: list[int] = []
    load = [0] * check_bits
    for weight in range(3, check_bits + 1, 2):
        candidates = list(combinations(range(check_bits), weight))
        while candidates and len(columns) < data_bits:
            best = min(candidates, key=lambda rows: (sorted((load[r] for r in rows), reverse=True), rows))
            candidates.remove(best)
            for row in best:
                load[row] += 1
            columns.append(sum(1 << row for row in best))
    return tuple(columns)


class SecDed:
    """The code for `data_bits` data bits. Build it with `secded`, which keeps one object per width.

    Attributes
    ----------
    data_bits, check_bits : int
    columns : tuple of int
        Column of data bit i: bit r is set if the data bit takes part in check bit r.
    masks : tuple of int
        Row r: bit i is set if data bit i takes part. Check bit r is the parity of `data & masks[r]`.
    """

    def __init__(self, data_bits: int):
        if data_bits not in CHECK_BITS:
            raise ValueError(f"A word of {data_bits} data bits has no SECDED code; "
                             f"the widths are {', '.join(map(str, CHECK_BITS))}.")
        self.data_bits = data_bits
        self.check_bits = CHECK_BITS[data_bits]
        self.columns = _balanced_columns(data_bits, self.check_bits)
        self.masks = tuple(sum((column >> row & 1) << bit for bit, column in enumerate(self.columns))
                           for row in range(self.check_bits))
        self._byte_checks = np.zeros((data_bits // 8, 256), np.uint16)
        for bit, column in enumerate(self.columns):
            self._byte_checks[bit // 8, (np.arange(256) >> bit % 8 & 1) == 1] ^= column
        # What a syndrome says: the byte to change and how (flip 0: none), or that the word is lost.
        syndromes = 1 << self.check_bits
        self._flip = np.zeros(syndromes, np.uint8)
        self._byte = np.zeros(syndromes, np.intp)
        self._hopeless = np.ones(syndromes, bool)
        self._hopeless[[0, *(1 << row for row in range(self.check_bits))]] = False
        for bit, column in enumerate(self.columns):
            self._hopeless[column] = False
            self._byte[column] = bit // 8
            self._flip[column] = 1 << bit % 8

    def encode(self, data: np.ndarray) -> np.ndarray:
        """Check bits, uint16 [...], of words uint8 [..., data_bits/8]; byte k holds bits 8k to 8k+7."""
        data = np.asarray(data)
        if data.dtype != np.uint8 or data.shape[-1] * 8 != self.data_bits:
            raise ValueError(f"The code takes words of {self.data_bits // 8} uint8, "
                             f"not {data.dtype} of shape {data.shape}.")
        check = np.zeros(data.shape[:-1], np.uint16)
        for k, table in enumerate(self._byte_checks):
            check ^= table[data[..., k]]
        return check

    def decode(self, data: np.ndarray, check: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Check and correct words uint8 [..., data_bits/8] against check bits uint16 [...].

        Returns (data, corrected, uncorrectable): the corrected words, and two bool arrays [...]. A wrong
        check bit counts as corrected. An uncorrectable word comes back as it came, clean `data` uncopied.
        """
        syndrome = self.encode(data) ^ np.asarray(check, np.uint16)
        uncorrectable = self._hopeless[syndrome]
        corrected = (syndrome != 0) & ~uncorrectable
        if not corrected.any():
            return np.asarray(data), corrected, uncorrectable
        at = self._byte[syndrome][..., None]
        fixed = np.array(data)
        np.put_along_axis(fixed, at, np.take_along_axis(fixed, at, -1) ^ self._flip[syndrome][..., None], -1)
        return fixed, corrected, uncorrectable


@cache
def secded(data_bits: int) -> SecDed:
    """The SECDED code over `data_bits` bits, one object per width."""
    return SecDed(data_bits)
