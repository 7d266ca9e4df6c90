"""What a configuration amounts to, as numbers that follow from the configuration and the table."""

from dataclasses import asdict

from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.arch.floorplan import floorplan
from sw.isa.codec import layout, make
from sw.isa.fields import MXM_TYPES, WORD_BYTES
from sw.isa.rows.icu import fetch_beats, fetch_words
from sw.isa.rows.mxm import pass_interval
from sw.isa.table import restart_gap


def facts(c: Config) -> dict:
    """Plain data that JSON can hold: configuration, floorplan, queues, peaks, bandwidths, memory, timing.

    Under `host` stand names in the order in which the host port numbers slices, queues and units.
    """
    plan = floorplan(c)
    return {
        "config": asdict(c) | {"hash": f"{c.hash:08x}"},
        "vl": c.vl,
        "stops": [[unit.name for unit in stop] for stop in plan.stops],
        "queues": _queues(c),
        "host": {
            "slices": [unit.name for unit in plan.slices],
            "queues": [queue.name for queue in plan.queues],
            "units": [unit.name for unit in plan.units],
        },
        "peaks": _peaks(c),
        "bandwidth": _bandwidth(c),
        "memory": _memory(c),
        "timing": {"restart_gap": restart_gap(c), "notify": make("NOTIFY").timing(c).d_func},
    }


def _queues(c: Config) -> dict:
    """Per queue class: how many, bits of a word, and the names."""
    classes: dict[str, dict] = {}
    for queue in floorplan(c).queues:
        one = classes.setdefault(queue.cls, {"count": 0, "bits": layout(queue.cls, c).bits, "names": []})
        one["count"] += 1
        one["names"].append(queue.name)
    return classes


def _peaks(c: Config) -> dict:
    """Operations a cycle; a multiply-accumulate is two."""
    planes = c.mxm.west + c.mxm.east
    peaks = {}
    for code, kind in enumerate(MXM_TYPES):
        interval = pass_interval(c, {"dtype": code})
        peaks[kind] = 2 * planes * c.vl**2 // interval if kind in c.mxm.types else 0
    return peaks | {"vector": c.alus * c.vl, "vector_fp32": len(set(c.vxm.float_alus)) * c.vl}


def _bandwidth(c: Config) -> dict:
    """Bytes a cycle, data bits only."""
    plan = floorplan(c)
    turn = max(make("IFETCH").timing(c).turn, fetch_beats(c))
    return {
        "sram_read": len(plan.slices) * c.vl,
        "sram_write": len(plan.slices) * c.vl,
        "streams_at_a_stop": 2 * c.streams * c.vl,
        "instruction_issue": len(plan.queues) * WORD_BYTES,
        "instruction_fetch": len(plan.stops) * fetch_words(c) * WORD_BYTES / turn,
    }


def _memory(c: Config) -> dict:
    slices = len(floorplan(c).slices)
    check = secded(8 * c.lanes).check_bits if c.ecc.streams else 0
    return {
        "slices": slices,
        "words": c.mem.words,
        "bytes": slices * c.mem.words * c.vl,
        "check_bits_per_word": check * c.superlanes,
        "weights": (c.mxm.west + c.mxm.east) * c.vl**2,
        "queue_words": c.queue_words,
    }
