"""Every engine of the switch unit, all modes and maps, in both hemispheres and both directions."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from tests.programs.edges import edges
from tests.programs.stage import Stage


def experiments(c: Config) -> Iterator[Callable[[Stage], None]]:
    """Experiments for `tests.programs.stage.pack`."""
    masks = dict.fromkeys(((1 << c.superlanes) - 1, 1, 1 << (c.superlanes - 1)))
    sides = [unit.name for unit in floorplan(c).units if unit.kind == "SXM"]
    for side, mask, west in product(sides, masks, (0, 1)):
        for make in (_shift, _permute, _distribute, _rotate, _transpose, _reduce):
            yield partial(make, side=side, mask=mask, west=west)


def _source(stage: Stage, side: str, count: int) -> int:
    """A group of streams that flows towards the hemisphere's edge: the only ones with enough slices upstream."""
    half = stage.config.streams
    return half * (side == "SXM_W") + (half - count) // count * count


def _bytes(c: Config, rows: int) -> np.ndarray:
    """Lanes that all differ, and differ from row to row."""
    return np.arange(rows * c.vl).reshape(rows, -1) * 7 + 1 & 255


def _shift(stage: Stage, side: str, mask: int, west: int) -> None:
    """SHIFT by 0 to `lanes` lanes, north, south, and by a select map with every choice and choices that are none."""
    c, queue, src, t = stage.config, f"{side}_SHIFT0", _source(stage, side, 1), stage.now
    chart = np.resize(np.array([0, 1, 2, 3, 255]), c.vl)
    stage.bring(side, src, t - 3, chart)
    stage.put(queue, t - 3, "SELECT_MAP", src=src)
    counts = dict.fromkeys((0, 1, c.lanes // 2, c.lanes - 1, c.lanes))
    cases = list(product((0, 1, 2), counts))
    stage.bring(side, src, t, _bytes(c, len(cases)))
    for k, (mode, n) in enumerate(cases):
        stage.put(queue, t + k, "SHIFT", mode=mode, n=n, src=src, dst=k % c.streams + c.streams * west)
    stage.mask(queue, mask, t - 3, t + len(cases))


def _permute(stage: Stage, side: str, mask: int, west: int) -> None:
    """PERMUTE by the identity, its mirror, both broadcasts, and indices out of range."""
    c, queue, src, t = stage.config, f"{side}_PERMUTE0", _source(stage, side, 2), stage.now
    lane = np.arange(c.vl)
    charts = np.stack(
        [lane, lane[::-1], lane * 0, lane * 0 + c.vl - 1, np.resize([c.vl, 0xFFFF, 0, c.vl - 1], c.vl), lane + 0x100]
    )
    for k, chart in enumerate(charts):
        at = t + 6 * k
        stage.bring_group(side, src, at, chart, 2)
        stage.put(queue, at, "MAP", src=src)
        stage.bring(side, src, at + 1, _bytes(c, 2))
        stage.put(queue, at + 1, "PERMUTE", 1, 1, src=src, dst=k + c.streams * west)
    stage.mask(queue, mask, t, t + 6 * len(charts))


def _distribute(stage: Stage, side: str, mask: int, west: int) -> None:
    """DISTRIBUTE by the identity, its mirror, a broadcast, and indices out of range."""
    c, queue, src, t = stage.config, f"{side}_DISTRIBUTE0", _source(stage, side, 2), stage.now
    lane = np.arange(c.vl) % c.lanes
    charts = np.stack([lane, c.lanes - 1 - lane, lane * 0, np.resize([c.lanes, 255, c.lanes - 1, 128], c.vl)])
    stage.bring(side, src, t, _bytes(c, 4))
    stage.bring(side, src + 1, t, charts)
    stage.put(queue, t, "DISTRIBUTE", 3, 1, src=src, map=src + 1, dst=c.streams - 1 + c.streams * west)
    stage.mask(queue, mask, t, t + 3)


def _rotate(stage: Stage, side: str, mask: int, west: int) -> None:
    """ROTATE of three and of four streams."""
    c, queue, src, t = stage.config, f"{side}_ROTATE0", _source(stage, side, 4), stage.now
    for k in range(4):
        stage.bring(side, src + k, t, _bytes(c, 2) + k)
    stage.put(queue, t, "ROTATE", n=0, src=src, dst=c.streams * west)
    stage.put(queue, t + 1, "ROTATE", n=1, src=src, dst=c.streams * west)
    stage.mask(queue, mask, t, t + 1)


def _transpose(stage: Stage, side: str, mask: int, west: int) -> None:
    """TRANSPOSE, two in a row."""
    c, queue, src, t = stage.config, f"{side}_TRANSPOSE0", _source(stage, side, stage.config.lanes), stage.now
    for k in range(c.lanes):
        stage.bring(side, src + k, t, _bytes(c, 2) + 3 * k & 255)
    stage.put(queue, t, "TRANSPOSE", 1, 1, src=src, dst=c.streams * west)
    stage.mask(queue, mask, t, t + 1)


def _reduce(stage: Stage, side: str, mask: int, west: int) -> None:
    """Every REDUCE over edge values, with and without NaNs, and over zeros of both signs."""
    c, queue, src, t = stage.config, f"{side}_REDUCE0", _source(stage, side, 4), stage.now
    for number, dtype in enumerate((DType.INT32, DType.FP32)):
        values, finite = edges(dtype), edges(dtype)[:8]
        rows = [np.resize(values, c.vl), np.resize(finite, c.vl), np.resize(finite[::-1], c.vl), np.resize(values[:2], c.vl)]
        for fn in range(3):
            at = t + 6 * (3 * number + fn)
            stage.bring_group(side, src, at, np.stack(rows), 4)
            dst = 4 * fn + c.streams * west
            stage.put(queue, at, "REDUCE", 3, 1, fn=fn, dtype=number, src=src, dst=dst)
    stage.mask(queue, mask, t, t + 34)
