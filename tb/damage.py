"""What can happen to frames on a wire: for each of n frames the bits that are wrong, uint8 [n, bytes], never none."""

import numpy as np

from sw.arch.frame import encode

Random = np.random.Generator


def bursts(random: Random, count: int, size: int, longest: int) -> np.ndarray:
    """Runs of up to `longest` bits, at most 16: all lengths alike, the first and the last bit wrong, anywhere in the frame."""
    length = np.minimum(random.integers(1, longest + 1, count), 8 * size)
    inner = random.integers(0, 1 << 16, count) & ((1 << length) - 1)
    pattern = inner | 1 | 1 << (length - 1)
    first = random.integers(0, 8 * size - length + 1)
    shifted = pattern << first % 8
    noise = np.zeros((count, size + 3), np.uint8)
    for k in range(3):
        noise[np.arange(count), first // 8 + k] = shifted >> 8 * k & 255
    return noise[:, :size]


def flips(random: Random, count: int, size: int, least: int, most: int) -> np.ndarray:
    """`least` … `most` wrong bits, anywhere."""
    noise = np.zeros((count, 8 * size), np.uint8)
    order = np.argsort(random.random((count, 8 * size), np.float32), axis=1)[:, :most]
    chosen = np.arange(most) < random.integers(least, most + 1, count)[:, None]
    np.put_along_axis(noise, order, chosen.astype(np.uint8), axis=1)
    return np.packbits(noise, axis=1, bitorder="little")


def wire(random: Random, count: int, size: int, word: int, most: int) -> np.ndarray:
    """One bit of the words of `word` bytes is wrong in 2 … `most` of them."""
    words = size // word
    order = np.argsort(random.random((count, words), np.float32), axis=1)
    hit = order < random.integers(2, most + 1, count)[:, None]
    noise = np.zeros((count, words, word), np.uint8)
    noise[np.arange(count), :, random.integers(0, word, count)] = hit << random.integers(0, 8, count)[:, None]
    return noise.reshape(count, size)


def replaced(random: Random, count: int, size: int, word: int, most: int) -> np.ndarray:
    """1 … `most` words in a row of `word` bytes with anything else in them."""
    words = size // word
    length = random.integers(1, most + 1, count)
    first = random.integers(0, words - length + 1)
    at = np.arange(words)
    hit = (at >= first[:, None]) & (at < (first + length)[:, None])
    noise = random.integers(0, 256, (count, words, word), np.uint8) * hit[:, :, None]
    noise[np.arange(count), first, 0] |= 1
    return noise.reshape(count, size)


def lost(random: Random, vectors: np.ndarray, numbers: np.ndarray, word: int, most: int) -> np.ndarray:
    """1 … `most` words of `word` bytes are missing, what comes behind them comes early, and then the next frame's words."""
    frames = encode(vectors, numbers)
    words = frames.reshape(len(frames), -1, word)
    both = np.concatenate([words, np.roll(words, -1, axis=0)], axis=1)
    length = random.integers(1, most + 1, len(frames))
    first = random.integers(0, words.shape[1], len(frames))
    at = np.arange(words.shape[1])
    source = at + length[:, None] * (at >= first[:, None])
    come = np.take_along_axis(both, source[:, :, None], axis=1)
    return (come ^ words).reshape(frames.shape)


def garbage(random: Random, count: int, size: int) -> np.ndarray:
    """Anything in the even bytes of the vector, which are in one codeword; header and parity are right."""
    noise = random.integers(0, 256, (count, size), np.uint8)
    noise[:, 1::2] = noise[:, size - 8 :] = 0
    noise[:, 0] |= 1
    return noise
