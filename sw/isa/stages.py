"""Depths of the pipelines that several units share; the latencies in `sw.isa.rows` are built from these."""

from sw.arch.config import Config

#: Execution stages of the three classes of vector operations. Adders of other units have the depth of their class.
SIMPLE_STAGES = 1
FLOAT_STAGES = 4
SPECIAL_STAGES = 7


def latch(c: Config) -> int:
    """Cycles from operands at the stop to corrected operands in a register."""
    return 1 + c.ecc.streams
