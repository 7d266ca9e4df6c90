"""A schedule of words and operands for one MXM plane, and what must come out of it, by plain numpy.

All times are superlane-0 times; `inputs` and `expected` apply the stagger.
"""

from collections import defaultdict

import numpy as np

from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.golden.dot import NAN32, fp16_dot, int8_dot
from sw.isa.codec import encode, make
from sw.isa.fields import ACC_MODES, MXM_TYPES

CLASSES = {"weights": "MXM_W", "activations": "MXM_A", "results": "MXM_R"}
PASS, SET, ADD, ADD_OUT, READ = range(len(ACC_MODES))


def add(a: np.ndarray, b: np.ndarray, dtype: str) -> np.ndarray:
    """ACC's addition on uint32 bits."""
    if dtype == "int8":
        return a + b
    with np.errstate(invalid="ignore", over="ignore"):
        total = a.view(np.float32) + b.view(np.float32)
    return np.where(np.isnan(total), NAN32, total.view(np.uint32))


class Schedule:
    """Words for the three queues, operands on the streams, and the results that must be driven."""

    def __init__(self, c: Config, rng: np.random.Generator):
        self.c, self.rng = c, rng
        self.words = {name: defaultdict(list) for name in CLASSES}
        self.masks = {name: {} for name in CLASSES}
        self.streams: dict[tuple[int, int], np.ndarray] = {}  # (cycle, stream code) -> uint8 [VL]
        self.flips: list[tuple[int, int, int, int]] = []  # cycle, superlane, stream code, bit of data and check bits
        self.expected: dict[tuple[int, int, int], np.ndarray] = {}  # (cycle, superlane, stream code) -> uint8 [4, lanes]

    def put(self, t: int, queue: str, name: str, **values) -> int:
        """Issues an instruction at cycle t; returns its d_func."""
        op = make(name, **values)
        self.words[queue][t].append(op)
        return op.timing(self.c).d_func

    def operand(self, t: int, count: int, data: np.ndarray) -> int:
        """Puts uint8 [count, VL] on `count` aligned streams at cycle t; returns the stream code."""
        step = 1 << (count - 1).bit_length()
        free = [code for code in range(0, 2 * self.c.streams - count + 1, step)
                if all((t, code + k) not in self.streams for k in range(count))]
        code = int(self.rng.choice(free))
        for k in range(count):
            self.streams[t, code + k] = data[k]
        return code

    def load(self, t: int, w: np.ndarray, dtype: str, n: int, install: bool = True) -> int:
        """LW after LW of the whole matrix w [VL, VL] from cycle t, IW in the last word; returns the cycle after."""
        columns = n >> (dtype == "fp16")
        planes = np.ascontiguousarray(w).view(np.uint8).reshape(*w.shape, -1)  # [row, column, byte]
        for col in range(0, self.c.vl, columns):
            data = planes[:, col : col + columns].transpose(1, 2, 0).reshape(n, self.c.vl)
            stream = self.operand(t, n, data)
            self.put(t, "weights", "LW", dtype=MXM_TYPES.index(dtype), stream=stream, n=n.bit_length() - 1, col=col)
            t += 1
        if install:
            self.put(t - 1, "weights", "IW")
        return t

    def activate(self, t: int, a: np.ndarray | None, dtype: str) -> int:
        """One pass with the vector a, or with the last one again; returns the cycle in which it stands at ACC."""
        if a is None:
            return t + self.put(t, "activations", "ABC_HOLD", dtype=MXM_TYPES.index(dtype))
        planes = a.view(np.uint8).reshape(len(a), -1).T
        stream = self.operand(t, len(planes), planes)
        return t + self.put(t, "activations", "ABC", dtype=MXM_TYPES.index(dtype), stream=stream)

    def accumulate(self, t: int, mode: int, row: int, dtype: str, out: np.ndarray | None) -> None:
        """An ACC word at cycle t; `out` uint32 [VL] is what it must drive."""
        dst = 0
        if out is not None:
            dst = int(self.rng.integers(0, self.c.streams // 2)) * 4
        d_func = self.put(t, "results", "ACC", dtype=MXM_TYPES.index(dtype), mode=mode, row=row, dst=dst)
        if out is not None:
            lanes = out.astype("<u4").view(np.uint8).reshape(self.c.superlanes, self.c.lanes, 4)
            mask = self.masks["results"].get(t, ~0)
            for r in range(self.c.superlanes):
                if mask >> r & 1:
                    # in the next stop's register at d_func, so handed to the stop one cycle before
                    self.expected[t + d_func - 1 + r, r, dst] = lanes[r].T

    @property
    def cycles(self) -> int:
        """Cycles until everything has come out."""
        return max(max(words, default=0) for words in self.words.values()) + 40 + self.c.superlanes

    def inputs(self) -> list[dict[str, int]]:
        """Port -> value in every cycle; streams that carry no operand hold noise."""
        c, lanes = self.c, self.c.lanes
        code = secded(8 * lanes)
        extra = code.check_bits if c.ecc.streams else 0
        trace = []
        for t in range(self.cycles):
            ports = {}
            for q, (queue, cls) in enumerate(CLASSES.items()):
                ops = self.words[queue].get(t)
                ports[f"issue_{q}__valid"] = int(bool(ops))
                ports[f"issue_{q}__word"] = encode(tuple(ops), cls, c) if ops else 0
                ports[f"issue_{q}__mask"] = self.masks[queue].get(t, (1 << c.superlanes) - 1)
            for r in range(c.superlanes):
                noise = self.rng.integers(0, 256, (2 * c.streams, lanes), dtype=np.uint8)
                for s in range(2 * c.streams):
                    if (t - r, s) in self.streams:
                        noise[s] = self.streams[t - r, s][r * lanes : (r + 1) * lanes]
                check = code.encode(noise)
                data = [int.from_bytes(noise[s].tobytes(), "little") for s in range(2 * c.streams)]
                for cycle, superlane, s, bit in self.flips:
                    if (cycle, superlane) == (t - r, r):
                        if bit < 8 * lanes:
                            data[s] ^= 1 << bit
                        else:
                            check[s] ^= 1 << (bit - 8 * lanes)
                for west, side in enumerate(("east", "west")):
                    half = range(west * c.streams, (west + 1) * c.streams)
                    ports[f"streams_{r}__{side}"] = _pack([data[s] for s in half], 8 * lanes)
                    if extra:
                        ports[f"streams_{r}__{side}_check"] = _pack([int(check[s]) for s in half], extra)
                    ports[f"streams_{r}__{side}_written"] = (1 << c.streams) - 1
            trace.append(ports)
        return trace

    def compare(self, driven: dict[tuple[int, int, int], tuple[int, int]]) -> None:
        """Asserts that exactly `expected` was driven: (cycle, superlane, code) -> (data, check)."""
        late = sorted(set(driven) ^ set(self.expected))
        assert not late, f"driven or expected, not both (cycle, superlane, stream): {late[:6]}"
        code = secded(8 * self.c.lanes)
        for key, rows in sorted(self.expected.items()):
            data, check = driven[key]
            got = np.frombuffer(data.to_bytes(4 * self.c.lanes, "little"), np.uint8).reshape(4, -1)
            assert (got == rows).all(), f"{key}: got {_words(got)}, not {_words(rows)}"
            if self.c.ecc.streams:
                wanted = _pack([int(x) for x in code.encode(np.ascontiguousarray(rows))], code.check_bits)
                assert check == wanted, f"{key}: check bits {check:#x}, not {wanted:#x}"


def _words(rows: np.ndarray) -> list[str]:
    return [f"{x:08x}" for x in np.ascontiguousarray(rows.T).view("<u4").ravel()]


def _pack(values: list[int], bits: int) -> int:
    number = 0
    for k, value in enumerate(values):
        number |= value << (k * bits)
    return number


def vectors(rng: np.random.Generator, shape: tuple, dtype: str, specials: bool = False) -> np.ndarray:
    """Random int8, or fp16 bits of all magnitudes; with `specials` infinities and NaNs now and then."""
    if dtype == "int8":
        return rng.integers(-128, 128, shape).astype(np.int8)
    bits = rng.integers(0, 0x7C00, shape) | rng.integers(0, 2, shape) << 15
    bits = np.where(rng.random(shape) < 0.1, bits & 0x83FF, bits)
    if specials:
        bits = np.where(rng.random(shape) < 0.02, rng.choice([0x7C00, 0xFC00, 0x7E00, 0], shape), bits)
    return bits.astype(np.uint16)


def dot(a: np.ndarray, w: np.ndarray, dtype: str) -> np.ndarray:
    """One pass: uint32 [VL]."""
    return int8_dot(a[None], w)[0].view(np.uint32) if dtype == "int8" else fp16_dot(a[None], w)[0]


def random_schedule(c: Config, dtype: str, seed: int, passes: int = 24, loads: int = 2) -> Schedule:
    """Weights loaded and installed while passes run back to back into every mode of ACC."""
    rng = np.random.default_rng(seed)
    s = Schedule(c, rng)
    interval = c.mxm.fp16_interval if dtype == "fp16" else 1
    most = min(16, c.streams, c.lanes << (dtype == "fp16"))
    turn = make("ACC", dtype=MXM_TYPES.index(dtype)).timing(c).turn
    acc: dict[int, np.ndarray] = {}
    last_use: dict[int, int] = {}
    t, held, at = 1, None, 0
    for number in range(loads):
        w = vectors(rng, (c.vl, c.vl), dtype, specials=number == loads - 1)
        n = most >> int(rng.integers(0, 2))
        # The load runs beside the passes; its IW takes effect exactly between the last old one and the first new one.
        words = c.vl // (n >> (dtype == "fp16"))
        start = max(1, t - words + 1 - make("IW").timing(c).d_func)
        t = max(t, s.load(start, w, dtype, n) - 1 + make("IW").timing(c).d_func)
        for _ in range(passes):
            hold = held is not None and rng.random() < 0.2
            if not hold:
                held = vectors(rng, (c.vl,), dtype, specials=rng.random() < 0.2)
            at = s.activate(t, None if hold else held, dtype)
            p = dot(held, w, dtype)
            row = int(rng.choice([k for k in range(2 * turn) if at - last_use.get(k, -99) >= turn]))
            mode = int(rng.choice([PASS, SET, ADD, ADD_OUT])) if row in acc else SET
            total = add(acc[row], p, dtype) if row in acc else p
            s.accumulate(at, mode, row, dtype, {PASS: p, ADD_OUT: total}.get(mode))
            last_use[row] = at
            acc[row] = {SET: p, ADD: total}.get(mode, acc.get(row))
            t += interval + (int(rng.integers(1, 4)) if rng.random() < 0.2 else 0)
    for k, row in enumerate(acc):
        s.accumulate(at + turn + k, READ, row, dtype, acc[row])
    return s
