"""Counters that stay at their greatest value."""

from amaranth.hdl import Mux, Signal, Value


def tally(count: Signal, more: Value | int) -> Value:
    """`count` and `more` (unsigned) together, or all ones if that does not fit into `count`."""
    total = count + more
    return Mux(total[len(count) :].any(), ~0, total)
