"""Frames of a link: a vector with a header and the parity of two Reed-Solomon codewords (see `docs/links.md`)."""

from dataclasses import dataclass
from functools import cache

import numpy as np

#: x^8 + x^4 + x^3 + x^2 + 1; 2 generates the field.
FIELD = 0x11D
#: Powers of 2 that are the roots of the generator, lowest first. Roots 0, 1, 2 would do for what is promised; but then an odd
#: number of wrong bits, the same bit of so many bytes, always looks like one wrong byte.
ROOTS = (-1, 0, 1)
#: Parity bytes of one codeword.
PARITY = len(ROOTS)
#: Type of a frame that carries a vector.
VECTOR = 5
#: Frames are numbered modulo this.
NUMBERS = 4096


def _powers() -> np.ndarray:
    """2^i for i of 0 … 254, twice over."""
    found, value = np.zeros(510, np.uint8), 1
    for i in range(255):
        found[i] = found[i + 255] = value
        value = value << 1 ^ (FIELD if value & 0x80 else 0)
    return found


POWERS = _powers()
LOGS = np.zeros(256, np.int64)
LOGS[POWERS[:255]] = np.arange(255)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products in GF(256), elementwise."""
    return np.where((a == 0) | (b == 0), 0, POWERS[LOGS[a] + LOGS[b]]).astype(np.uint8)


@dataclass(frozen=True)
class Decoded:
    """What was received: uint8 [n, VL], their types and numbers, how many bytes of each were corrected, and which frames
    are lost (the rest of those means nothing)."""

    vectors: np.ndarray
    types: np.ndarray
    numbers: np.ndarray
    corrected: np.ndarray
    lost: np.ndarray


def encode(vectors: np.ndarray, numbers: np.ndarray, kind: int = VECTOR) -> np.ndarray:
    """Frames uint8 [n, VL + 8] of vectors uint8 [n, VL], with their numbers."""
    n, vl = vectors.shape
    frames = np.zeros((n, vl + 8), np.uint8)
    frames[:, :vl] = vectors
    header = kind | np.asarray(numbers, np.int64) % NUMBERS << 4
    frames[:, vl], frames[:, vl + 1] = header & 255, header >> 8
    for half in range(2):
        word = frames[:, half::2]
        word[:, -PARITY:] = parity_of(syndromes(word)) ^ 255
    return frames


def syndromes(words: np.ndarray) -> np.ndarray:
    """Values uint8 [n, 3] at the roots, of codewords [n, bytes] whose parity is not inverted."""
    length = words.shape[1]
    exponents = np.outer(ROOTS, np.arange(length)[::-1]) % 255
    return np.bitwise_xor.reduce(multiply(words[:, None, :], POWERS[exponents][None]), axis=2)


def decode(frames: np.ndarray) -> Decoded:
    """Vectors of frames uint8 [n, VL + 8] in which bytes may be wrong."""
    frames = frames.copy()
    vl = frames.shape[1] - 8
    frames[:, vl + 2 :] ^= 255
    corrected, lost = np.zeros(len(frames), np.int64), np.zeros(len(frames), bool)
    for half in range(2):
        word = frames[:, half::2]
        length = word.shape[1]
        s = syndromes(word)
        wrong, every = s.any(axis=1), s.all(axis=1)
        one = LOGS[s]
        # One wrong byte of value e at place p from the end gives e / 2^p, e and e * 2^p.
        place = (one[:, 1] - one[:, 0]) % 255
        single = every & ((one[:, 2] - one[:, 1]) % 255 == place) & (place < length)
        rows = np.flatnonzero(single)
        word[rows, length - 1 - place[rows]] ^= s[rows, 1]
        corrected += single
        lost |= wrong & ~single
    header = frames[:, vl].astype(np.int64) | frames[:, vl + 1].astype(np.int64) << 8
    return Decoded(frames[:, :vl], header & 15, header >> 4, corrected, lost)


def parity_of(syndromes) -> np.ndarray:
    """Parity bytes uint8 [..., 3] that have these syndromes, so that they make those of a codeword without parity zero."""
    given = np.asarray(syndromes, np.uint8)
    return np.bitwise_xor.reduce(multiply(_solution(), given[..., None, :]), axis=-1)


@cache
def _solution() -> np.ndarray:
    """The inverse [3, 3] of the matrix that takes the last three bytes of a codeword to their syndromes."""
    roots = [[int(POWERS[j * k % 255]) for k in (2, 1, 0)] for j in ROOTS]
    matrix = np.concatenate([np.array(roots, np.uint8), np.eye(PARITY, dtype=np.uint8)], axis=1)
    for i in range(PARITY):
        matrix[i] = multiply(matrix[i], POWERS[-LOGS[matrix[i, i]] % 255])
        for j in set(range(PARITY)) - {i}:
            matrix[j] ^= multiply(matrix[i], matrix[j, i])
    return matrix[:, PARITY:]
