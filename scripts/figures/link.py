"""What a link costs, from the constants of the `full` chip."""

from functools import partial

from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.arch.links import frame_words, link_latency
from sw.isa.table import instruction

FULL = load("full")


def efficiency() -> Found:
    """Bytes of a vector over bytes on the wire."""
    words = frame_words(FULL)
    return Found(FULL.vl / (words * FULL.c2c.link_bytes), {"words": words, "lanes": FULL.vl})


def cycles(name: str) -> Found:
    """Cycles from stream to stream over one link, or from port to port of a chip that forwards, besides the cable."""
    latency = link_latency(FULL, 0)
    found = latency + (instruction("RECEIVE").timing(FULL, {}).d_func if name == "hop" else 0)
    return Found(found, {"frame and 16 cycles": frame_words(FULL) + 16, "ppm": FULL.c2c.ppm, "stretch": FULL.c2c.stretch})


_LIMIT = (Bound("<=", "frame and 16 cycles", share=1.25),)
FIGURES = (
    Figure("link.efficiency", "of the wire", efficiency, (Bound(">=", 0.975),)),
    Figure("link.hop_cycles", "cycles", partial(cycles, "hop"), _LIMIT),
    Figure("link.forward_cycles", "cycles", partial(cycles, "forward"), _LIMIT),
)
