"""From the values of one iteration to lockstep trace records."""

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.golden.plan import Plan
from sw.golden.state import State
from sw.trace import DRIVE, WRITE, record_type


def record(plan: Plan, state: State) -> np.ndarray:
    """Every stream drive and memory write of an iteration as TRACE records, unsorted."""
    config, events, drives = plan.events.config, plan.events, plan.events.drives
    stops = len(floorplan(config).stops)
    inside = np.flatnonzero((drives.stop >= 0) & (drives.stop < stops))
    parts = [
        _spread(
            config, DRIVE, state.origin + drives.cycle[inside], drives.stop[inside], drives.code[inside],
            state.rows[inside], events.mask[drives.entry[inside]],
        )
    ]
    writes, rows = plan.mem.writes
    words = config.mem.words
    parts.append(
        _spread(
            config, WRITE, state.origin + writes.cycle, writes.word // words, writes.word % words,
            state.rows[rows], writes.mask,
        )
    )
    for cycle, place, item, superlane, lanes in state.scattered:
        parts.append(_make(config, WRITE, cycle, place, item, superlane, lanes))
    return np.concatenate(parts)


def _spread(config: Config, kind: int, cycle, place, item, vectors, mask) -> np.ndarray:
    """Vectors [n, VL] as one record for every powered superlane."""
    event, superlane = np.nonzero(mask[:, None] >> np.arange(config.superlanes) & 1)
    lanes = vectors.reshape(len(vectors), config.superlanes, config.lanes)[event, superlane]
    return _make(config, kind, cycle[event], place[event], item[event], superlane, lanes)


def _make(config: Config, kind: int, cycle, place, item, superlane, lanes) -> np.ndarray:
    records = np.empty(len(cycle), record_type(config.lanes))
    records["kind"] = kind
    columns = {"cycle": cycle, "place": place, "item": item, "superlane": superlane, "data": lanes}
    for name, values in columns.items():
        records[name] = values
    return records
