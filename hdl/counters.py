"""The counters of a queue, and its answers on the host bus."""

from amaranth.hdl import Module, Mux, Signal

from hdl.lib.tally import tally
from sw.arch.hostmap import Counter, Space


def count(m: Module, queue) -> None:
    """Counts cycles in which `queue` issues, and what its unit corrects for it, from `clear` on and up to the greatest
    value. Gives them to reads of space STATUS at its index, and acknowledges writes of its words."""
    busy = Signal(32)
    corrections = Signal(32)
    with m.If(queue.clear):
        m.d.sync += [busy.eq(0), corrections.eq(0)]
    with m.Else():
        with m.If(queue.issue.valid):
            m.d.sync += busy.eq(tally(busy, 1))
        with m.If(queue.corrected != 0):
            m.d.sync += corrections.eq(tally(corrections, queue.corrected))
    hit = queue.request.valid & (queue.request.unit == queue.index)
    asked = Signal()
    done = Signal()
    which = Signal(reset_less=True)
    m.d.sync += asked.eq(hit & (queue.request.space == Space.STATUS) & ~queue.request.write)
    m.d.sync += done.eq(hit & (queue.request.space == Space.QUEUE) & queue.request.write)
    with m.If(hit):
        m.d.sync += which.eq(queue.request.addr[0])
    m.d.sync += [queue.answer.valid.eq(asked | done), queue.answer.data.eq(0)]
    with m.If(asked):
        m.d.sync += queue.answer.data.eq(Mux(which == Counter.CORRECTED, corrections, busy))
