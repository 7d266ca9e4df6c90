"""What follows from a configuration for its links (see `docs/links.md`)."""

from sw.arch.config import Config

#: Cycles of the hardware aligned counter (as published, a period below 256).
HAC_PERIOD = 252
#: Every byte of the mark.
MARK = 255
#: Cycles by which a word may come still earlier, because HACs do not agree to the cycle.
PLAY = 8
#: Cycles by which a word may come later, for the same reason.
APART = 3
#: Age in cycles of a count when the other chip notes it, besides what the cable takes.
TOLD = 6


def frame_words(c: Config) -> int:
    """Words of one frame: a vector, two bytes of header and six of parity."""
    return (c.vl + 8) // c.c2c.link_bytes


def drift(c: Config) -> int:
    """Cycles by which two clocks can drift apart between two alignments, each up to `ppm` off."""
    return -(-2 * c.c2c.ppm * c.c2c.stretch // 1_000_000)


def slack(c: Config) -> int:
    """Most words that the elastic buffer holds: so much earlier than it stands at the port a word may have come."""
    return 2 * drift(c) + 8


def elastic_depth(c: Config) -> int:
    """Words of the elastic buffer: besides what clocks drift, chips far from each other in the tree may not have begun in the
    very same cycle."""
    return 1 << (slack(c) + PLAY - 1).bit_length()


def link_latency(c: Config, cable: int) -> int:
    """Cycles from SEND to the frame's first word at the other end's port, for words that come `cable` cycles after they left:
    4 to the wire, 7 to the reader's side of the buffer, what clocks may drift, and what HACs may disagree."""
    return cable + 11 + drift(c) + APART


def told_latency(c: Config, told: int) -> int:
    """Latency of a link whose counts are at most `told` cycles old when the other chip notes them, by HACs as they agree."""
    return link_latency(c, told - TOLD) - APART
