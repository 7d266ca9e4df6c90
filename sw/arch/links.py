"""What follows from a configuration for its links (see `docs/links.md`)."""

from sw.arch.config import Config

#: Cycles of the hardware aligned counter; values from here on are no count.
HAC_PERIOD = 252


def frame_words(c: Config) -> int:
    """Words of one frame: a vector, two bytes of header and six of parity."""
    return (c.vl + 8) // c.c2c.link_bytes
