"""Loads and reads through the host port, whole and broken."""

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamFrame

from sw.arch.ecc import secded
from sw.arch.hostmap import Fault, Space, Transfer
from tb.host_core import SHAPE, VL, refused, scenario, setup, vectors


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
async def a_packet_before_its_command_waits(dut):
    host, core, rng = await setup(dut)
    data = vectors(rng, 3)
    await host.source.send(AxiStreamFrame(data.tobytes()))
    await ClockCycles(dut.clk, 100)
    assert await host.status() == {"idle"} and not core.requests
    await host.transfer(Transfer.LOAD, Space.MEM, 0, 0, 3)
    await host.source.wait()
    await ClockCycles(dut.clk, 20)
    assert await host.status() == {"idle"}
    assert (await host.read_mem(0, 0, 3) == data).all()


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
