"""Every SXM engine against numpy written from the lines of the instruction table."""

import numpy as np
import pytest

from hdl.sxm.engines import engine
from sw.arch.config import Config
from sw.isa.spec import Op
from tests.hdl.sxm_bench import Bench, random_op, shape

#: Instructions of each engine; maps come as often as they are named.
INSTRUCTIONS = {
    "shift": ("SHIFT", "SHIFT", "SELECT_MAP"),
    "distribute": ("DISTRIBUTE",),
    "permute": ("PERMUTE", "PERMUTE", "MAP"),
    "rotate": ("ROTATE",),
    "transpose": ("TRANSPOSE",),
    "reduce": ("REDUCE",),
}
#: Engines that Amaranth's simulator elaborates in seconds.
SIMPLE = [kind for kind in INSTRUCTIONS if kind != "reduce"]


class Reference:
    """Results of instructions in issue order: a vector [R, lanes] for each stream from dst on.

    `here` are the stream values [code, R, lanes] at issue; a superlane without power gives zeros to others.
    """

    def __init__(self, c: Config):
        self.config = c
        self.choice = np.zeros((c.superlanes, c.lanes), np.uint8)
        self.index = np.zeros((c.superlanes, c.lanes), int)

    def step(self, op: Op, here: np.ndarray, power: np.ndarray) -> list[np.ndarray]:
        return getattr(self, op.instr.name.lower())(op, here, power)

    def shift(self, op, here, power):
        c = self.config
        vector = np.where(power[:, None], here[op["src"]], 0).reshape(-1)
        north, south = np.zeros_like(vector), np.zeros_like(vector)
        n = op["n"]
        north[n:] = vector[: c.vl - n]
        south[: c.vl - n] = vector[n:]
        choice = {0: np.full(c.vl, 1), 1: np.full(c.vl, 2), 2: self.choice.reshape(-1)}[op["mode"]]
        result = np.select([choice == 0, choice == 1, choice == 2], [vector, north, south])
        return [result.reshape(here[0].shape)]

    def select_map(self, op, here, power):
        self.choice = np.where(power[:, None], here[op["src"]], self.choice)
        return []

    def permute(self, op, here, power):
        vector = np.where(power[:, None], here[op["src"]], 0).reshape(-1)
        return [np.append(vector, 0)[np.minimum(self.index, self.config.vl)]]

    def map(self, op, here, power):
        index = here[op["src"]] + 256 * here[op["src"] + 1].astype(int)
        self.index = np.where(power[:, None], index, self.index)
        return []

    def rotate(self, op, here, power):
        n, lanes = 3 + op["n"], self.config.lanes
        results = []
        for i in range(n):
            for j in range(n):
                result = np.zeros_like(here[0])
                for start in range(0, lanes - n + 1, n):
                    # lane k of a group goes south to k - j
                    group = here[op["src"] + i, :, start : start + n]
                    result[:, start : start + n] = np.roll(group, -j, axis=1)
                results.append(result)
        return results

    def distribute(self, op, here, power):
        source, chart = here[op["src"]], here[op["map"]]
        padded = np.concatenate([source, np.zeros((len(source), 256), np.uint8)], axis=1)
        return [np.take_along_axis(padded, chart.astype(int), axis=1)]

    def reduce(self, op, here, power):
        words = here[op["src"] : op["src"] + 4].transpose(1, 2, 0)
        words = np.ascontiguousarray(np.where(power[:, None, None], words, 0)).view("<u4")[..., 0]
        rows = [_tree(op, list(row)) for row in words]
        total = np.frombuffer(_tree(op, rows).tobytes(), np.uint8)
        return [np.full_like(here[0], byte) for byte in total]

    def transpose(self, op, here, power):
        lanes = self.config.lanes
        block = here[op["src"] : op["src"] + lanes]
        return list(block.transpose(2, 1, 0))


def _tree(op: Op, values: list[np.uint32]) -> np.uint32:
    """Pairs of neighbours, an odd one out passes up."""
    while len(values) > 1:
        pairs = [_pair(op, *values[k : k + 2]) for k in range(0, len(values) - 1, 2)]
        values = pairs + values[len(values) & ~1 :]
    return values[0]


def _pair(op: Op, a: np.uint32, b: np.uint32) -> np.uint32:
    if op["dtype"] == 0:
        if op["fn"] == 2:
            return np.uint32((int(a) + int(b)) % 2**32)
        return (max, min)[op["fn"]](a, b, key=lambda word: int(word.astype(np.int32)))
    x, y = a.view(np.float32), b.view(np.float32)
    if op["fn"] == 2:
        with np.errstate(all="ignore"):
            total = x + y
    elif np.isnan(x) or np.isnan(y):
        total = np.float32(np.nan)
    else:
        total = (max, min)[op["fn"]](x, y, key=lambda f: (f, not np.signbit(f)))
    return np.uint32(0x7FC00000) if np.isnan(total) else np.float32(total).view(np.uint32)


def expect(c: Config, bench: Bench, issues) -> dict:
    reference, drives = Reference(c), {}
    for t, (op, mask) in sorted(issues.items()):
        power = np.array([mask >> r & 1 for r in range(c.superlanes)], bool)
        results = reference.step(op, bench.values[t], power)
        streams = [code + k for code, count in op.drives(c) for k in range(count)]
        assert len(streams) == len(results)
        for code, result in zip(streams, results, strict=True):
            for r in np.flatnonzero(power):
                drives[t + op.timing(c).d_func, code, int(r)] = result[r].astype(np.uint8).tobytes()
    return drives


def traffic(rng, c: Config, kind: str, bench: Bench) -> dict[int, tuple[Op, int]]:
    """Words back to back, now and then a gap; half of them with some superlanes without power."""
    issues = {}
    for t in range(bench.cycles):
        if rng.random() < 0.85:
            op = random_op(rng, c, f"SXM_{kind.upper()}", str(rng.choice(INSTRUCTIONS[kind])))
            everyone = (1 << c.superlanes) - 1
            issues[t] = (op, everyone if rng.random() < 0.5 else int(rng.integers(everyone + 1)))
            spread_maps(rng, c, op, bench.values[t])
    return issues


def spread_maps(rng, c: Config, op: Op, here: np.ndarray) -> None:
    """Makes most entries of map operands mean something."""
    shape = here[0].shape
    if op.instr.name == "SELECT_MAP":
        here[op["src"]] = np.where(rng.random(shape) < 0.9, rng.integers(4, size=shape), here[op["src"]])
    if op.instr.name == "MAP":
        index = rng.choice([0, c.vl - 1, c.vl, c.vl + 1, 65535], size=shape)
        index = np.where(rng.random(shape) < 0.8, rng.integers(c.vl, size=shape), index)
        here[op["src"]], here[op["src"] + 1] = index % 256, index // 256
    if op.instr.name == "REDUCE" and op["dtype"] == 1:
        _near_floats(rng, here[op["src"] : op["src"] + 4])
    if op.instr.name == "DISTRIBUTE":
        lanes = rng.integers(c.lanes, size=shape)
        here[op["map"]] = np.where(rng.random(shape) < 0.8, lanes, here[op["map"]])


def _near_floats(rng, block: np.ndarray) -> None:
    """Fills an SG4 with floats of like magnitude, now and then a special one."""
    shape = block.shape[1:]
    values = (rng.normal(size=shape) * np.exp2(rng.integers(-4, 5, size=shape))).astype(np.float32)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -3e-39], np.float32)
    special = rng.choice(special, size=shape)
    values = np.where(rng.random(shape) < rng.choice([0, 0.1, 0.9]), special, values)
    block[:] = np.ascontiguousarray(values).view(np.uint8).reshape(*shape, 4).transpose(2, 0, 1)


def flip_single_bits(rng, c: Config, bench: Bench, issues, share: float) -> list[int]:
    """One wrong bit in a share of all words on the streams; returns the corrections of each engine."""
    wrong = rng.random(bench.values.shape[:3]) < share
    for t, code, r in np.argwhere(wrong):
        bench.flips[int(t), int(code), int(r)] = (int(rng.integers(8 * c.lanes + bench.code.check_bits)),)
    return [
        sum(
            int(wrong[t, first : first + count, r].sum())
            for t, (op, mask) in words.items()
            for first, count in op.reads(c)
            for r in range(c.superlanes)
            if mask >> r & 1
        )
        for words in issues
    ]


def prepared(c: Config, kinds: list[str], seed: int, cycles: int):
    rng = np.random.default_rng(seed)
    print(f"seed {seed}")
    bench = Bench(c, rng, cycles)
    return rng, bench, [traffic(rng, c, kind, bench) for kind in kinds]


def play(c: Config, bench: Bench, kinds: list[str], issues, folder=None):
    last = max(op.timing(c).d_func for words in issues for op, _ in words.values())
    makes = [lambda kind=kind: engine(c, f"SXM_{kind.upper()}", False) for kind in kinds]
    return bench.run(makes, issues, last + c.superlanes + 1, folder)


@pytest.mark.parametrize("kind", SIMPLE)
@pytest.mark.parametrize("ecc", [False, True], ids=["plain", "ecc"])
@pytest.mark.parametrize("lanes, superlanes", [(4, 1), (4, 3), (8, 2)])
def test_results_and_times_are_the_tables(kind, lanes, superlanes, ecc):
    c = shape(lanes, superlanes, ecc)
    _, bench, issues = prepared(c, [kind], 100 * lanes + superlanes, 50)
    [seen] = play(c, bench, [kind], issues)
    assert seen.drives == expect(c, bench, issues[0])
    assert (seen.corrected, seen.faults) == (0, [])


@pytest.mark.parametrize(
    "lanes, superlanes, ecc",
    [(8, 2, True), (4, 5, False), pytest.param(16, 4, True, marks=pytest.mark.slow)],
)
def test_exported_engines_beside_each_other(lanes, superlanes, ecc, tmp_path):
    """All engines in Verilator, with one wrong bit in a tenth of the words on the streams if there is ECC."""
    c, kinds = shape(lanes, superlanes, ecc), list(INSTRUCTIONS)
    rng, bench, issues = prepared(c, kinds, 200 * lanes + superlanes, 120)
    corrections = flip_single_bits(rng, c, bench, issues, 0.1 * ecc)
    for kind, seen, words, count in zip(
        kinds, play(c, bench, kinds, issues, tmp_path), issues, corrections, strict=True
    ):
        assert seen.drives == expect(c, bench, words), kind
        assert (seen.corrected, seen.faults) == (count, []), kind


@pytest.mark.parametrize("kind", SIMPLE)
def test_one_wrong_bit_in_operands_is_corrected_and_counted(kind):
    c = shape(8, 2)
    rng, bench, issues = prepared(c, [kind], 7, 40)
    [corrections] = flip_single_bits(rng, c, bench, issues, 0.3)
    [seen] = play(c, bench, [kind], issues)
    assert seen.drives == expect(c, bench, issues[0])
    assert (seen.corrected, seen.faults) == (corrections, [])
    assert corrections > 10


@pytest.mark.parametrize("kind", SIMPLE)
def test_two_wrong_bits_in_an_operand_are_reported_when_they_are_found(kind):
    c = shape(8, 2)
    rng, bench, issues = prepared(c, [kind], 8, 40)
    expected = set()
    for t, (op, mask) in issues[0].items():
        first, count = op.reads(c)[-1]
        code, r = first + int(rng.integers(count)), int(rng.integers(c.superlanes))
        bits = rng.choice(8 * c.lanes + bench.code.check_bits, size=2, replace=False)
        bench.flips[t, code, r] = tuple(int(bit) for bit in bits)
        if mask >> r & 1:
            expected.add(t + 2 + r)
    [seen] = play(c, bench, [kind], issues)
    assert seen.faults == sorted(expected)
    assert seen.corrected == 0
