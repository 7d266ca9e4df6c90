"""The host port's registers: what they read, and what is refused."""

from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiResp

from sw.arch.hostmap import ID, REGISTERS, Counter, Space, Transfer
from tb.host_core import SETUP, SHAPE, refused, scenario, setup


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
    await refused(host.write("COUNTER_INDEX", SHAPE.queues))
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
async def counters_are_read_by_index(dut):
    host, core, rng = await setup(dut)
    for queue in range(SHAPE.queues):
        for counter in Counter:
            core.counters[queue, counter] = int(rng.integers(0, 1 << 32))
    for queue in (0, 1, SHAPE.queues - 1):
        found = await host.counters(queue)
        assert (found.busy, found.corrected) == (core.counters[queue, 0], core.counters[queue, 1])
