"""Runs of several iterations: when queues start, when an iteration has ended, how long it took."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out


class Step(Enum, shape=3):
    """What the sequencer is doing."""

    IDLE = 0
    RESET = 1
    START = 2
    RELEASE = 3
    RUN = 4
    GAP = 5
    DRAIN = 6


class Sequencer(wiring.Component):
    """Releases the queues for each iteration and counts cycles.

    Cycle 0 of an iteration comes `release` cycles after `start`; what happens in the core in cycle t is
    seen at `halted` and `fault` in t + gather. An iteration of T cycles has its last HALT in T-1; the next
    cycle 0 is T + restart_gap.

    Parameters
    ----------
    restart_gap : cycles between iterations, enough for everything in flight to land
    release, gather : constant delays of the wires to and from the queues, together at least 1

    Members
    -------
    run, iterations : pulse that begins a run of so many iterations (at least 1), taken when idle
    abort : pulse, ends a run at once; also resets the core when idle
    fault : pulse, ends a run at once
    halted : all queues have reached HALT; must fall within `gather` cycles of `reset_core`
    correction : cycles that program time gains beside this one, signed
    clear_counters, reset_core, start : pulses, in this order in successive cycles; clear_counters comes
        with the first reset_core of a run
    running, finished : a run is going on; pulse when one has ended and all its writes have landed
    cycles : the program cycle that is seen at `fault` now; after a run, N*T + (N-1)*restart_gap
    iteration : iterations that have ended
    """

    def __init__(self, restart_gap: int, release: int, gather: int):
        if min(release, gather) < 0 or release + gather < 1:
            raise ValueError(f"Release {release} and gather {gather} must not be negative, and 1 together.")
        if restart_gap < release + gather + 2:
            raise ValueError(f"A restart gap of {restart_gap} cycles is shorter than release {release}, "
                             f"gather {gather} and 2 cycles of reset and start.")
        self.restart_gap = restart_gap
        self.release = release
        self.gather = gather
        super().__init__({
            "run": In(1),
            "iterations": In(32),
            "abort": In(1),
            "fault": In(1),
            "halted": In(1),
            "correction": In(32),
            "clear_counters": Out(1),
            "reset_core": Out(1),
            "start": Out(1),
            "running": Out(1),
            "finished": Out(1),
            "cycles": Out(64),
            "iteration": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        delay = self.release + self.gather
        step = Signal(Step)
        wait = Signal(range(self.restart_gap))
        left = Signal(32)
        first = Signal()
        counting = Signal()
        m.d.comb += self.running.eq(step != Step.IDLE)
        with m.If(counting):
            m.d.sync += self.cycles.eq(self.cycles + 1 + self.correction.as_signed())
        with m.Switch(step):
            with m.Case(Step.IDLE):
                with m.If(self.run):
                    m.d.sync += [
                        step.eq(Step.RESET), first.eq(1), left.eq(self.iterations),
                        self.cycles.eq(0), self.iteration.eq(0),
                    ]
            with m.Case(Step.RESET):
                m.d.comb += [self.reset_core.eq(1), self.clear_counters.eq(first)]
                m.d.sync += [step.eq(Step.START), first.eq(0)]
            with m.Case(Step.START):
                m.d.comb += self.start.eq(1)
                m.d.sync += wait.eq(max(delay - 2, 0))
                m.d.sync += step.eq(Step.RELEASE if delay > 1 else Step.RUN)
                if delay == 1:
                    m.d.sync += counting.eq(1)
            with m.Case(Step.RELEASE):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += [step.eq(Step.RUN), counting.eq(1)]
            with m.Case(Step.RUN):
                with m.If(self.halted):
                    m.d.sync += [self.iteration.eq(self.iteration + 1), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.d.sync += [step.eq(Step.DRAIN), counting.eq(0), wait.eq(self.restart_gap - 1)]
                    with m.Else():
                        gap = self.restart_gap - delay - 1
                        m.d.sync += [step.eq(Step.GAP), wait.eq(gap - 1)]
            with m.Case(Step.GAP, Step.DRAIN):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.comb += self.finished.eq(step == Step.DRAIN)
                    m.d.sync += step.eq(Mux(step == Step.DRAIN, Step.IDLE, Step.RESET))
        with m.If(self.abort | self.fault):
            m.d.comb += [self.finished.eq(0), self.start.eq(0)]
            m.d.sync += [step.eq(Step.IDLE), counting.eq(0)]
        with m.If(self.abort):
            m.d.comb += self.reset_core.eq(1)
        return m
