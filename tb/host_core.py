"""What the host port is tested with: a core behind it in plain Python, and a host in front."""

import json
import os
import random
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

from sw.arch.hostmap import Space
from tb.host import Host, HostError

SETUP = json.loads(os.environ["TAKT_HOST"])
SHAPE = SimpleNamespace(**SETUP["shape"])
GAP, RELEASE, GATHER = SETUP["restart_gap"], SETUP["release"], SETUP["gather"]
VL = SHAPE.lanes * SHAPE.superlanes
SEED = 7

scenario = partial(cocotb.test, timeout_time=5, timeout_unit="ms")


@dataclass
class Core:
    """What stands behind the host port. All times are counted in falling edges, once a cycle.

    memory: (slice, superlane, word) -> (data, check); queues: (queue, word) -> bytes; counters: (queue,
    counter) -> value.
    flips: (slice, superlane, word) -> wrong bits of (data, check) in answers; silent: nothing is answered.
    length: cycles of an iteration; fault: (cycle of the run's first iteration, code, unit, queue) or None.
    log: (cycle, event) of every start, reset_core and clear_counters.
    """

    dut: object
    latency: int
    memory: dict = field(default_factory=dict)
    queues: dict = field(default_factory=dict)
    counters: dict = field(default_factory=dict)
    flips: dict = field(default_factory=dict)
    silent: bool = False
    length: int = 1
    fault: tuple | None = None
    log: list = field(default_factory=list)
    cycle: int = 0
    requests: int = 0

    async def run(self):
        dut = self.dut
        answers, events, pieces = {}, {}, []
        halted = True
        while True:
            await FallingEdge(dut.clk)
            self.cycle += 1
            if dut.bus__request__valid.value:
                self.requests += 1
                if not self.silent:
                    answers[self.cycle + self.latency] = self._serve(pieces)
            for name in ("clear_counters", "reset_core", "start"):
                if getattr(dut, name).value:
                    self.log.append((self.cycle, name))
            if dut.reset_core.value:
                halted, events = False, {}
            if dut.start.value:
                zero = self.cycle + RELEASE + GATHER
                events[zero + self.length - 1] = "halt"
                if self.fault:
                    events[zero + self.fault[0]] = "fault"
            event = events.pop(self.cycle, None)
            halted = halted or event == "halt"
            dut.halted.value = int(halted)
            dut.fault__valid.value = int(event == "fault")
            if event == "fault":
                _, dut.fault__code.value, dut.fault__unit.value, dut.fault__queue.value = self.fault
            answer = answers.pop(self.cycle, None)
            dut.bus__answer__valid.value = int(answer is not None)
            if answer:
                dut.bus__answer__data.value = answer[0]
                if SHAPE.ecc:
                    dut.bus__answer__check.value = answer[1]

    def _serve(self, pieces):
        request = {name: int(getattr(self.dut, f"bus__request__{name}").value)
                   for name in ("write", "space", "unit", "part", "addr", "data")}
        check = int(self.dut.bus__request__check.value) if SHAPE.ecc else 0
        place = request["unit"], request["part"], request["addr"]
        if request["space"] == Space.QUEUE:
            assert request["write"] and request["part"] == len(pieces) and check == 0
            pieces.append(request["data"].to_bytes(SHAPE.data_bits // 8, "little")[:SHAPE.lanes])
            if len(pieces) == SHAPE.queue_parts:
                self.queues[place[0], place[2]] = b"".join(pieces)
                pieces.clear()
            return 0, 0
        if request["space"] == Space.STATUS:
            assert not request["write"]
            return self.counters[place[0], place[2]], 0
        if request["write"]:
            self.memory[place] = request["data"], check
            return 0, 0
        flip = self.flips.get(place, (0, 0))
        return tuple(a ^ b for a, b in zip(self.memory[place], flip, strict=True))

    def word(self, slice_number: int, address: int) -> bytes:
        """A vector as it stands in memory, without its check bits."""
        return b"".join(self.memory[slice_number, part, address][0].to_bytes(SHAPE.lanes, "little")
                        for part in range(SHAPE.superlanes))


async def setup(dut, latency: int = 5, pauses: bool = True) -> tuple[Host, Core, np.random.Generator]:
    """Reset, connect; with pauses every AXI channel is held up at random."""
    for name in ("halted", "fault__valid", "fault__code", "fault__unit", "fault__queue", "corrected",
                 "bus__answer__valid", "bus__answer__data"):
        getattr(dut, name).value = 0
    if SHAPE.ecc:
        dut.bus__answer__check.value = 0
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    host = Host(dut)
    if pauses:
        write, read = host.axil.write_if, host.axil.read_if
        channels = (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel,
                    host.source, host.sink)
        for number, channel in enumerate(channels):
            channel.set_pause_generator(_pauses(SEED + number))
    await ClockCycles(dut.clk, 5)
    dut.rst.value = 0
    dut._log.info("seed %d", SEED)
    core = Core(dut, latency)
    cocotb.start_soon(core.run())
    await host.connect(SETUP["config_hash"])
    return host, core, np.random.default_rng(SEED)


def _pauses(seed: int):
    rng = random.Random(seed)
    while True:
        yield from [rng.random() < 0.5] * rng.randint(1, 4)


async def refused(action) -> str:
    """What a HostError said; it is an error if there was none."""
    try:
        await action
    except HostError as error:
        assert "did not" not in str(error), error  # a time limit is no refusal
        return str(error)
    raise AssertionError("The host port accepted what it has to refuse.")


def vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Random contents of so many vectors."""
    return rng.integers(0, 256, (count, VL), dtype=np.uint8)
