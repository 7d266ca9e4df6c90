"""The host port against cocotbext-axi, with memories, queues and a run behind it that are plain Python."""

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
from cocotbext.axi import AxiResp, AxiStreamFrame

from sw.arch.ecc import secded
from sw.arch.hostmap import ID, REGISTERS, Counter, Fault, Space, Transfer
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

    memory: (slice, superlane, word) -> (data, check); queues: (queue, word) -> bytes; counters: (unit,
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
        return str(error)
    raise AssertionError("The host port accepted what it has to refuse.")


def vectors(rng, count: int) -> np.ndarray:
    return rng.integers(0, 256, (count, VL), dtype=np.uint8)


@scenario()
async def identifies_itself(dut):
    host, _, _ = await setup(dut)
    assert await host.read("ID") == ID and await host.read("CONFIG") == SETUP["config_hash"]
    assert (host.lanes, host.superlanes) == (SHAPE.lanes, SHAPE.superlanes)
    assert await host.status() == {"idle"} and await host.fault() is None
    text = await refused(host.connect(SETUP["config_hash"] ^ 1))
    assert "CONFIG" in text


@scenario()
async def wrong_accesses_get_error_responses(dut):
    host, core, _ = await setup(dut)
    beyond = 4 * len(REGISTERS)
    for address, expected in ((beyond, AxiResp.DECERR), (0xFFC, AxiResp.DECERR)):
        assert (await host.axil.read(address, 4)).resp == expected
        assert (await host.axil.write(address, bytes(4))).resp == expected
    target = REGISTERS["TARGET_UNIT"].offset
    await host.write("TARGET_UNIT", 0x12345678)
    assert (await host.axil.write(target, b"\xff")).resp == AxiResp.SLVERR
    assert (await host.axil.write(target + 2, b"\xff\xff")).resp == AxiResp.SLVERR
    assert await host.read("TARGET_UNIT") == 0x12345678
    for register in REGISTERS.values():
        if register.access == "r":
            await refused(host.write(register.name, 1))
        if register.access == "w":
            await refused(host.read(register.name))
    for value in (0, 3, 8, 0xFFFFFFFF):
        await refused(host.write("CONTROL", value))
    await refused(host.command("start"))  # no iterations were set
    await refused(host.write("COUNTER_INDEX", SHAPE.units))
    assert core.requests == 0 and not core.log


@scenario()
async def raw_misaligned_addresses_get_error_responses(dut):
    host, _, _ = await setup(dut)
    # cocotbext-axi aligns addresses itself, so the bus is driven by hand here.
    del host
    dut.s_axil__araddr.value = REGISTERS["ID"].offset + 2
    dut.s_axil__arvalid.value = 1
    dut.s_axil__rready.value = 0
    while True:
        await FallingEdge(dut.clk)
        if dut.s_axil__rvalid.value:
            break
    assert int(dut.s_axil__rresp.value) == AxiResp.SLVERR and int(dut.s_axil__rdata.value) == 0


@scenario()
@cocotb.parametrize(latency=[1, 3, 40])
async def memory_round_trip(dut, latency):
    host, core, rng = await setup(dut, latency)
    image = {slice_number: vectors(rng, 9) for slice_number in (0, SHAPE.slices - 1)}
    for slice_number, data in image.items():
        await host.load_mem(slice_number, SHAPE.words - 9, data)
    for slice_number, data in image.items():
        for k, vector in enumerate(data):
            assert core.word(slice_number, SHAPE.words - 9 + k) == vector.tobytes()
        assert (await host.read_mem(slice_number, SHAPE.words - 9, 9) == data).all()
        assert (await host.read_mem(slice_number, SHAPE.words - 1, 1) == data[-1:]).all()
    if SHAPE.ecc:
        code = secded(SHAPE.word_bits)
        for data, check in core.memory.values():
            assert code.encode(np.frombuffer(data.to_bytes(SHAPE.lanes, "little"), np.uint8)) == check
    assert await host.status() == {"idle"} and await host.read("CORRECTED") == 0


@scenario()
async def a_sink_that_stops_loses_nothing(dut):
    host, _, rng = await setup(dut, latency=30, pauses=False)
    data = vectors(rng, SHAPE.words)
    await host.load_mem(0, 0, data)
    await host.transfer(Transfer.READ, Space.MEM, 0, 0, SHAPE.words)
    for _ in range(3):
        host.sink.pause = True
        await ClockCycles(dut.clk, 300)
        assert await host.status() == {"reading"}
        host.sink.pause = False
        await ClockCycles(dut.clk, 5)
    frame = await host.sink.recv(compact=False)
    assert bytes(frame.tdata) == data.tobytes() and not any(frame.tuser)


@scenario()
async def queue_words_arrive_whole(dut):
    host, core, rng = await setup(dut)
    words = rng.integers(0, 256, (SHAPE.queue_words, 16), dtype=np.uint8)
    last = SHAPE.queues - 1
    await host.load_queue(last, words)
    assert core.queues == {(last, k): word.tobytes() for k, word in enumerate(words)}
    await host.load_queue(0, words[:1], SHAPE.queue_words - 1)
    assert core.queues[0, SHAPE.queue_words - 1] == words[0].tobytes()


@scenario()
async def targets_that_do_not_exist_are_refused(dut):
    host, core, _ = await setup(dut)
    load, read = Transfer.LOAD, Transfer.READ
    for target in (
        (load, Space.MEM, SHAPE.slices, 0, 1),
        (load, Space.MEM, 0, 0, SHAPE.words + 1),
        (read, Space.MEM, 0, SHAPE.words, 1),
        (read, Space.MEM, 0, 1, 0xFFFFFFFF),
        (read, Space.MEM, 0, 0, 0),
        (load, Space.QUEUE, SHAPE.queues, 0, 1),
        (load, Space.QUEUE, 0, SHAPE.queue_words, 1),
        (read, Space.QUEUE, 0, 0, 1),
        (load, Space.STATUS, 0, 0, 1),
        (load, 7, 0, 0, 1),
        (3, Space.MEM, 0, 0, 1),
        (0, Space.MEM, 0, 0, 1),
    ):
        await refused(host.transfer(*target))
    assert await host.status() == {"idle"} and core.requests == 0


@scenario()
@cocotb.parametrize(length=[1, 2, 61], iterations=[1, 2, 5])
async def cycles_are_counted_exactly(dut, length, iterations):
    host, core, _ = await setup(dut, pauses=False)
    core.length = length
    await host.start(iterations)
    cycles = await host.wait()
    end = core.cycle
    assert cycles == iterations * length + (iterations - 1) * GAP
    starts = [cycle for cycle, event in core.log if event == "start"]
    assert [b - a for a, b in zip(starts, starts[1:], strict=False)] == [length + GAP] * (iterations - 1)
    assert [cycle for cycle, event in core.log if event == "reset_core"] == [cycle - 1 for cycle in starts]
    assert [cycle for cycle, event in core.log if event == "clear_counters"] == [starts[0] - 1]
    assert end >= starts[-1] + RELEASE + length + GAP, "done before everything in flight has landed"
    assert await host.status() == {"idle", "done"}
    assert (await host.read("ITERATION"), await host.read("RUNS")) == (iterations, 1)


@scenario()
async def nothing_disturbs_a_run(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 2)
    await host.load_mem(0, 0, data)
    before, core.length = core.requests, 3000
    await host.start(1)
    assert await host.status() == {"running"}
    for name in ("ITERATIONS", "TARGET_UNIT", "TARGET_SPACE", "COUNTER_INDEX"):
        await refused(host.write(name, 1))
    for value in Transfer:
        await refused(host.write("TRANSFER", value))
    for name in ("start", "clear"):
        await refused(host.command(name))
    for name in ("COUNTER_BUSY", "COUNTER_CORRECTED"):
        await refused(host.read(name))
    first, second = await host.cycles(), await host.cycles()
    assert 0 < first < second < 3000
    assert await host.wait() == 3000 and core.requests == before
    assert len([event for _, event in core.log if event == "reset_core"]) == 1
    assert (await host.read_mem(0, 0, 2) == data).all()


@scenario()
async def abort_ends_a_run(dut):
    host, core, _ = await setup(dut)
    core.length = 100_000
    await host.start(3)
    await host.command("abort")
    assert await host.status() == {"idle"} and core.log[-1][1] == "reset_core"
    core.length = 12
    await host.start(2)
    assert await host.wait() == 24 + GAP and await host.read("RUNS") == 1
    core.length = 1000
    await host.start(1)
    assert await host.status() == {"running"} and not dut.interrupt.value


@scenario()
async def a_fault_stops_the_run_and_hides_results(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 1)
    await host.load_mem(1, 3, data)
    core.length, core.fault = 500, (123, Fault.GATHER_RANGE, SHAPE.units - 1, SHAPE.queues - 1)
    await host.start(2)
    text = await refused(host.wait())
    for part in ("GATHER_RANGE", f"unit {SHAPE.units - 1}", f"queue {SHAPE.queues - 1}", "cycle 123"):
        assert part in text, text
    assert dut.freeze.value and await host.status() == {"idle", "fault"} and await host.read("ITERATION") == 0
    await refused(host.start(1))
    await refused(host.read_mem(1, 3, 1))
    await refused(host.load_mem(1, 3, data))
    core.fault = None
    await host.command("clear")
    assert not dut.freeze.value and core.log[-1][1] == "reset_core" and await host.fault() is None
    assert (await host.read_mem(1, 3, 1) == data).all()
    await host.start(1)
    assert await host.wait() == 500


@scenario()
async def the_first_fault_is_kept(dut):
    host, core, _ = await setup(dut)
    core.length, core.fault = 50, (49, Fault.QUEUE_UNDERRUN, 0, 2)
    await host.start(1)
    await refused(host.wait())
    dut.fault__code.value, dut.fault__unit.value = Fault.ECC, 1
    await FallingEdge(dut.clk)
    dut.fault__valid.value = 1
    await FallingEdge(dut.clk)
    record = await host.fault()
    assert (record.code, record.unit, record.queue, record.cycle) == (Fault.QUEUE_UNDERRUN, 0, 2, 49)


@scenario()
async def corrections_of_the_core_are_added_up(dut):
    host, _, _ = await setup(dut)
    for amount in (1, 200, 255):
        await FallingEdge(dut.clk)
        dut.corrected.value = amount
    await FallingEdge(dut.clk)
    dut.corrected.value = 0
    assert await host.read("CORRECTED") == 456


@scenario(skip=not SHAPE.ecc)
async def reads_correct_one_wrong_bit(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 6)
    await host.load_mem(2, 0, data)
    top = SHAPE.superlanes - 1
    core.flips = {(2, 0, 0): (1, 0), (2, top, 3): (1 << SHAPE.word_bits - 1, 0), (2, 0, 5): (0, 1)}
    assert (await host.read_mem(2, 0, 6) == data).all()
    assert await host.read("CORRECTED") == 3 and await host.fault() is None


@scenario(skip=not SHAPE.ecc)
async def reads_never_pass_two_wrong_bits(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 4)
    await host.load_mem(1, 0, data)
    core.flips = {(1, 0, 2): (5, 0)}
    assert "HOST_ECC" in await refused(host.read_mem(1, 0, 4))
    await refused(host.read_mem(1, 0, 1))
    record = await host.fault()
    assert (record.unit, record.queue) == (1, None)
    core.flips = {}
    await host.command("clear")
    assert (await host.read_mem(1, 0, 4) == data).all()
    core.flips = {(1, 0, 2): (1, 1)}
    await host.transfer(Transfer.READ, Space.MEM, 1, 0, 4)
    frame = await host.sink.recv(compact=False)
    lost = np.zeros((4, VL), bool)
    lost[2, :SHAPE.lanes] = True
    assert bytes(frame.tdata) == np.where(lost, 0, data).astype(np.uint8).tobytes()
    assert np.array_equal(np.array(frame.tuser, bool), lost.ravel())


@scenario()
async def broken_packets_are_faults(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 4)
    for packet, code, written in (
        (data[:3].tobytes(), Fault.LOAD_TRUNCATED, 3),
        (data.tobytes()[:-host.stream_bytes], Fault.LOAD_TRUNCATED, 3),
        (data.tobytes() + bytes(3 * host.stream_bytes), Fault.LOAD_OVERLONG, 4),
        (data.tobytes()[:-1], Fault.LOAD_PARTIAL_BEAT, 3),
    ):
        core.memory.clear()
        await host.transfer(Transfer.LOAD, Space.MEM, 0, 5, 4)
        await host.source.send(AxiStreamFrame(packet))
        await host.source.wait()
        await ClockCycles(dut.clk, 20)
        record = await host.fault()
        assert record.code == code, (record, code)
        assert await host.status() == {"idle", "fault"}
        assert b"".join(core.word(0, 5 + k) for k in range(written)) == data[:written].tobytes()
        await refused(host.start(1))
        await host.command("clear")
        await host.load_mem(0, 5, data)
        assert (await host.read_mem(0, 5, 4) == data).all()


@scenario()
async def abort_ends_a_load_that_never_comes(dut):
    host, _, rng = await setup(dut)
    await host.transfer(Transfer.LOAD, Space.QUEUE, 0, 0, 3)
    await ClockCycles(dut.clk, 500)
    assert await host.status() == {"loading"}
    await refused(host.command("start"))
    await host.recover()
    assert await host.status() == {"idle"}
    data = vectors(rng, 2)
    await host.load_mem(0, 0, data)
    assert (await host.read_mem(0, 0, 2) == data).all()


@scenario()
@cocotb.parametrize(after=[0, 15, 60, 300])
async def abort_closes_a_read(dut, after):
    host, _, rng = await setup(dut, latency=9, pauses=False)
    data = vectors(rng, 30)
    await host.load_mem(0, 0, data)
    host.sink.pause = after == 300
    await host.transfer(Transfer.READ, Space.MEM, 0, 0, 30)
    await ClockCycles(dut.clk, after)
    await host.command("abort")
    host.sink.pause = False
    await host.recover()
    assert host.sink.empty() or after > 0
    if after > 0:
        frame = await host.sink.recv(compact=False)
        sent = bytes(frame.tdata)
        if after < 30:
            assert len(sent) < data.size and frame.tuser[-1] == 1 and not any(sent[-host.stream_bytes:])
        if frame.tuser[-1]:
            sent = sent[:-host.stream_bytes]
        else:
            assert len(sent) == data.size
        assert sent == data.tobytes()[:len(sent)]
    assert (await host.read_mem(0, 0, 30) == data).all()


@scenario()
async def silence_on_the_bus_is_a_fault(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 3)
    await host.load_mem(0, 0, data)
    core.silent = True
    assert "NO_ANSWER" in await refused(host.load_mem(0, 0, data))
    await host.recover()
    await refused(host.counters(0))
    await host.recover()
    await host.transfer(Transfer.READ, Space.MEM, 0, 0, 3)
    await ClockCycles(dut.clk, 5000)
    assert (await host.fault()).code == Fault.NO_ANSWER
    await host.recover()
    core.silent = False
    assert (await host.read_mem(0, 0, 3) == data).all()


@scenario()
async def counters_are_read_by_index(dut):
    host, core, rng = await setup(dut)
    for unit in range(SHAPE.units):
        for counter in Counter:
            core.counters[unit, counter] = int(rng.integers(0, 1 << 32))
    for unit in (0, 1, SHAPE.units - 1):
        found = await host.counters(unit)
        assert (found.busy, found.corrected) == (core.counters[unit, 0], core.counters[unit, 1])
