"""Every way to load weights, edge values in both types, and all modes and edge rows of the accumulators."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.isa.codec import EncodeError, check, make
from sw.isa.fields import ACC_MODES, MXM_TYPES
from tests.programs.edges import edges
from tests.programs.stage import Stage

PASS, SET, ADD, ADD_OUT, READ = range(len(ACC_MODES))
TYPES = tuple(DType.parse(name) for name in MXM_TYPES)


def experiments(c: Config) -> Iterator[Callable[[Stage], None]]:
    """Experiments for `tests.programs.stage.pack`."""
    masks = dict.fromkeys(((1 << c.superlanes) - 1, 1, 1 << (c.superlanes - 1)))
    planes = [unit.name for unit in floorplan(c).units if unit.kind == "MXM"]
    for plane, kind in product(planes, map(MXM_TYPES.index, c.mxm.types)):
        for number, (n, mask) in enumerate(product(_sizes(c, kind), masks)):
            yield partial(_session, plane=plane, kind=kind, n=n, mask=mask, west=number % 2)


def _sizes(c: Config, kind: int) -> list[int]:
    """Codes of the numbers of streams that an LW may take."""
    legal = []
    for n in range(5):
        try:
            check(make("LW", dtype=kind, n=n), c, "MXM_W")
        except EncodeError:
            continue
        legal.append(n)
    return legal


def _weights(c: Config, kind: int) -> np.ndarray:
    """Columns of edge values [VL, VL]; the special numbers of fp16 stand in the last columns only."""
    values = edges(TYPES[kind])
    usual = values[:8] if kind else values
    columns = np.stack([np.resize(np.roll(usual, j), c.vl) for j in range(c.vl)])
    if kind:
        columns[-1, 0], columns[-2, -1], columns[-3, :2] = values[-1], values[-3], (values[-4], values[-3])
    return columns


def _session(stage: Stage, plane: str, kind: int, n: int, mask: int, west: int) -> None:
    """Loads all columns n streams at a time, installs, and runs passes into every mode."""
    c, t = stage.config, stage.now
    streams, columns = 1 << n, (1 << n) >> kind
    size, loads = 1 + kind, c.vl // ((1 << n) >> kind)
    half = c.streams * plane.startswith("MXM_W")
    source = half + (c.streams - streams) // streams * streams
    weights = _weights(c, kind).reshape(loads, columns, c.vl)
    for j in range(columns):
        stage.bring_group(plane, source + size * j, t, weights[:, j], size)
    fields = {"dtype": kind, "stream": source, "n": n}
    last = t + loads - 1
    if n % 2:
        stage.put(f"{plane}_W", t, "LW", loads - 1, 1, col=0, stride=columns if loads > 1 else 0, **fields)
        last += 1
    else:
        # The install takes what the last load brings in the same word.
        stage.put(f"{plane}_W", t, "LW", loads - 2, 1, col=0, stride=columns, **fields)
        stage.put(f"{plane}_W", last, "LW", col=c.vl - columns, **fields)
    stage.put(f"{plane}_W", last, "IW")
    start = last + make("IW").timing(c).d_func
    end = _passes(stage, plane, kind, start, half, west)
    for queue in "WAR":
        stage.mask(f"{plane}_{queue}", mask, t if queue == "W" else t + 1, end)


def _passes(stage: Stage, plane: str, kind: int, start: int, half: int, west: int) -> int:
    """A burst of passes over rows from each end of the accumulators, then single ones; gives the last cycle."""
    c = stage.config
    values = edges(TYPES[kind])
    abc = make("ABC", dtype=kind).timing(c)
    turn = make("ACC", dtype=kind).timing(c).turn
    source, last_row, dst = half, c.mxm.acc_rows - 1, 4 + c.streams * west
    rows = np.stack([np.resize(np.roll(values[:9], k), c.vl) for k in range(3)] + [np.resize(values, c.vl)])
    n = len(rows)

    def burst(t: int, mode: int, row: int, stride: int) -> int:
        stage.bring_group(plane, source, t, rows, 1 + kind, abc.turn)
        stage.put(f"{plane}_A", t, "ABC", n - 1, abc.turn, dtype=kind, stream=source)
        at = t + abc.d_func
        stage.put(f"{plane}_R", at, "ACC", n - 1, abc.turn, dtype=kind, mode=mode, row=row, stride=stride, dst=dst)
        return t + n * abc.turn

    t = start
    for mode, row, stride in ((SET, 0, 1), (SET, last_row, -1), (ADD, 0, 1), (ADD_OUT, last_row, -1), (PASS, 0, 0)):
        t = burst(t, mode, row, stride) + turn
    stage.put(f"{plane}_A", t, "ABC_HOLD", 1, abc.turn, dtype=kind)
    stage.put(f"{plane}_R", t + abc.d_func, "ACC", 1, abc.turn, dtype=kind, mode=PASS, dst=dst)
    t += abc.d_func + 2 * abc.turn + turn
    for row, stride in ((0, 1), (last_row, -1)):
        stage.put(f"{plane}_R", t, "ACC", n - 1, 1, dtype=kind, mode=READ, row=row, stride=stride, dst=dst)
        t += n
    return t
