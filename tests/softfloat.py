"""Operand sets in the manner of TestFloat level 1, and Berkeley SoftFloat as the oracle for them.

All numbers are uint32 arrays of bit patterns in the low bits. NaN results are canonical.
"""

import itertools

import numpy as np
import softfloatpy as sf

from sw.arch.dtype import DType

SEED = 20261
_EXPONENTS = (0x00, 0x01, 0x02, 0x66, 0x7E, 0x7F, 0x80, 0x96, 0xFD, 0xFE, 0xFF)
_FRACTIONS = (0, 1, 2, 0x3FFFFF, 0x400000, 0x400001, 0x555555, 0x7FF000, 0x7FFFFE, 0x7FFFFF)
_CLASSES = {DType.FP16: sf.Float16, DType.FP32: sf.Float32}
_NAMES = {DType.FP16: "f16", DType.FP32: "f32"}


def generator() -> np.random.Generator:
    """Random numbers of the fixed seed, printed so that a failure can be run again."""
    print(f"seed {SEED}")
    return np.random.default_rng(SEED)


def same(got: np.ndarray, expected: np.ndarray, *operands: np.ndarray) -> None:
    """AssertionError with the first differences and their operands."""
    wrong = np.flatnonzero(got != expected)
    shown = [[f"{int(x[k]):08x}" for x in (*operands, got, expected)] for k in wrong[:5]]
    assert not len(wrong), f"{len(wrong)} differ; operands, got, expected: {shown}"


def fp32_values() -> np.ndarray:
    """Every combination of sign with interesting exponents and fractions: 220 values."""
    fields = itertools.product((0, 1), _EXPONENTS, _FRACTIONS)
    return np.array([s << 31 | e << 23 | f for s, e, f in fields], dtype=np.uint32)


def fp32_pairs() -> tuple[np.ndarray, np.ndarray]:
    """All 48,400 pairs of `fp32_values`, and 24,000 random ones, half of them of nearly equal magnitude."""
    values, random = fp32_values(), generator()
    a, b = (grid.ravel() for grid in np.meshgrid(values, values))
    x = _random_words(random, 24_000)
    y = _random_words(random, 24_000)
    y[::2] = x[::2] ^ (random.integers(0, 2, 12_000, dtype=np.uint32) << 31)
    y[::2] += random.integers(0, 1 << 25, 12_000, dtype=np.uint32)
    return np.concatenate([a, x]), np.concatenate([b, y])


def fp32_singles() -> np.ndarray:
    """64,000 patterns: interesting fractions at every exponent, halves of integers, random ones."""
    random = generator()
    fields = itertools.product((0, 1), range(256), _FRACTIONS)
    grid = np.array([s << 31 | e << 23 | f for s, e, f in fields], np.uint32)
    halves = (random.integers(-(1 << 18), 1 << 18, 20_000) / 2).astype(np.float32).view(np.uint32)
    singles = np.concatenate([grid, halves])
    return np.concatenate([singles, _random_words(random, 64_000 - len(singles))])


def int_singles(dtype: DType) -> np.ndarray:
    """All int8 or int16; for int32 64,000 numbers: around every power of two, and random ones."""
    if dtype.bits < 32:
        return np.arange(1 << dtype.bits, dtype=np.uint32)
    near = np.array([s * (1 << p) + d for s in (1, -1) for p in range(32) for d in range(-64, 65)])
    random, count = generator(), 64_000 - len(near)
    rest = random.integers(-(1 << 31), 1 << 31, count) >> random.integers(0, 31, count)
    return (np.concatenate([near, rest]) & 0xFFFFFFFF).astype(np.uint32)


def singles(dtype: DType) -> np.ndarray:
    """Operands of unary operations on `dtype`; all 65,536 patterns of fp16."""
    if dtype is DType.FP32:
        return fp32_singles()
    return np.arange(1 << 16, dtype=np.uint32) if dtype is DType.FP16 else int_singles(dtype)


def int_pairs(dtype: DType) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of canonical lanes of an integer type: all 65,536 of int8, else boundaries and random ones."""
    if dtype is DType.INT8:
        a, b = (grid.ravel() for grid in np.meshgrid(np.arange(-128, 128), np.arange(-128, 128)))
    else:
        random, top = generator(), dtype.greatest
        edge = [0, 1, -1, 2, -2, 3, 7, 8, 15, 16, 17, 31, 32, 181, 46340, 46341, top, top - 1, -top, -top - 1]
        edge = np.array([e for e in edge if dtype.least <= e <= top])
        a, b = (grid.ravel() for grid in np.meshgrid(edge, edge))
        wide = random.integers(-top - 1, top + 1, (2, 20_000)) >> random.integers(0, dtype.bits, (2, 20_000))
        a, b = np.concatenate([a, wide[0]]), np.concatenate([b, wide[1]])
    return tuple((x & 0xFFFFFFFF).astype(np.uint32) for x in (a, b))


def arithmetic(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SoftFloat's fp32 `add`, `sub`, `mul`, `eq`, `lt_quiet` or `le_quiet`; a compare gives 0 or all ones."""
    function = getattr(sf, f"f32_{name}")
    results = [function(x, y) for x, y in zip(_objects(DType.FP32, a), _objects(DType.FP32, b), strict=True)]
    if name in ("add", "sub", "mul"):
        return _patterns(DType.FP32, results)
    return np.where(np.array(results), np.uint32(0xFFFFFFFF), np.uint32(0))


def conversion(src: DType, dst: DType, a: np.ndarray) -> np.ndarray:
    """SoftFloat's conversion as canonical uint32 lanes; integers by way of int64, saturated here."""
    if not src.is_float:
        signed = a.astype(f"u{src.streams}").view(src.numpy).astype(np.int64)
        if dst.is_float:
            function = getattr(sf, f"i32_to_{_NAMES[dst]}")
            return _patterns(dst, [function(sf.Int32.from_int(int(x))) for x in signed])
        return _integers(dst, signed)
    numbers = list(_objects(src, a))
    if dst is src:
        return _patterns(dst, numbers)
    if dst.is_float:
        function = getattr(sf, f"{_NAMES[src]}_to_{_NAMES[dst]}")
        return _patterns(dst, [function(x) for x in numbers])
    function, least = getattr(sf, f"{_NAMES[src]}_to_i64"), -(1 << 63)
    wide = np.array([0 if x.is_nan() else function(x).to_int() for x in numbers], dtype=np.int64)
    # SoftFloat answers every int64 overflow with one number, so the sign has to come from the operand
    positive = (a >> (src.bits - 1)) & 1 == 0
    return _integers(dst, np.where((wide == least) & positive, (1 << 63) - 1, wide))


def _integers(dst, x):
    return (np.clip(x, dst.least, dst.greatest) & 0xFFFFFFFF).astype(np.uint32)


def _objects(dtype, patterns):
    size = dtype.streams
    raw = patterns.astype(f">u{size}").tobytes()
    return (_CLASSES[dtype].from_bytes(raw[k:k + size]) for k in range(0, len(raw), size))


def _patterns(dtype, objects):
    raw = b"".join(x.to_bytes() for x in objects)
    bits = np.frombuffer(raw, dtype=f">u{dtype.streams}").astype(np.uint32)
    nan = (bits & (dtype.mask >> 1)) > dtype.infinity
    return np.where(nan, np.uint32(dtype.nan), bits)


def _random_words(random, count):
    return random.integers(0, 1 << 32, count, dtype=np.uint32)
