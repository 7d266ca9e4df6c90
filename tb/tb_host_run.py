"""Runs, their cycle counts and their faults, through the host port."""

import cocotb
from cocotb.triggers import FallingEdge

from sw.arch.hostmap import Fault, Transfer
from tb.host_core import GAP, RELEASE, SHAPE, refused, scenario, setup, vectors


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
