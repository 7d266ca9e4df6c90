"""A host that does what it must not, against a whole chip of `tiny`: nothing hangs, nothing is disturbed."""

import os
from pathlib import Path

import cocotb
import numpy as np
from cocotbext.axi import AxiResp

from sw.arch.config import load
from sw.arch.floorplan import floorplan
from sw.arch.hostmap import REGISTERS, Fault, Space, Transfer
from sw.asm.image import Image
from sw.isa.codec import words_to_bytes
from sw.isa.fields import WORD_BYTES
from tb.host import Host, HostError
from tb.power_up import power_up

#: Environment variable: folder with `copy.img` and `gather.img`, programs that run long; `copy` has a region
#: `from` to be filled and a region `to` with the same words after a run, `gather` leaves its region.
IMAGES = "TAKT_INTRUDER_IMAGES"
CONFIG = load("tiny")
SLICES, QUEUES = len(floorplan(CONFIG).slices), len(floorplan(CONFIG).queues)


async def start(dut, name: str) -> tuple[Host, Image]:
    """A chip after reset with a program in it."""
    await power_up(dut)
    host = Host(dut)
    await host.connect(CONFIG.hash)
    image = Image.from_bytes((Path(os.environ[IMAGES]) / f"{name}.img").read_bytes(), CONFIG)
    for queue, words in enumerate(image.boot.values()):
        await host.load_queue(queue, np.frombuffer(words_to_bytes(words), np.uint8).reshape(-1, WORD_BYTES))
    for segment in image.memory:
        await host.load_mem(segment.slice, segment.addr, segment.data)
    return host, image


async def refused(access) -> str:
    """What an access was refused with; AssertionError if it was not."""
    try:
        await access
    except HostError as error:
        return str(error)
    raise AssertionError("the access was not refused")


async def copies(host: Host, image: Image, disturb=None) -> int:
    """Runs `copy` on fresh data, checks its result and gives its cycles."""
    (source,), (target,) = image.inputs, image.outputs
    data = np.random.default_rng(await host.read("RUNS")).integers(0, 256, (source.words, CONFIG.vl), np.uint8)
    await host.load_mem(source.slice, source.addr, data)
    await host.start(2)
    if disturb:
        await disturb(host)
    cycles = await host.wait(50_000)
    assert (await host.read_mem(target.slice, target.addr, target.words) == data).all()
    return cycles


async def attack(host: Host) -> None:
    """Tries everything that a host may not do during a run."""
    assert await host.status() == {"running"}
    for register in REGISTERS.values():
        if register.access == "rw":
            await refused(host.write(register.name, 0))
    for command in Transfer:
        await refused(host.write("TRANSFER", command))
    for command in ("start", "clear"):
        await refused(host.command(command))
    for counter in ("COUNTER_BUSY", "COUNTER_CORRECTED"):
        await refused(host.read(counter))
    assert (await host.axil.write(0x800, bytes(4))).resp == AxiResp.DECERR
    assert (await host.axil.read(0xFFC, 4)).resp == AxiResp.DECERR
    assert (await host.axil.write(REGISTERS["CONTROL"].offset, b"\x04")).resp == AxiResp.SLVERR
    assert await host.status() == {"running"}, "the run was too short for the attack"


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_run_is_not_disturbed(dut):
    """The same cycles and the right result with and without accesses in the middle of a run."""
    host, image = await start(dut, "copy")
    alone = await copies(host, image)
    assert await copies(host, image, attack) == alone
    assert await copies(host, image) == alone and await host.fault() is None


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def wrong_addresses_are_refused(dut):
    """And the chip runs as before."""
    host, image = await start(dut, "copy")
    alone = await copies(host, image)
    words, depth = CONFIG.mem.words, CONFIG.queue_words
    for target in (
        (Transfer.LOAD, Space.MEM, SLICES, 0, 1),
        (Transfer.LOAD, Space.MEM, 0, words, 1),
        (Transfer.READ, Space.MEM, 0, words - 1, 2),
        (Transfer.READ, Space.MEM, 0, 0, 0),
        (Transfer.LOAD, Space.QUEUE, QUEUES, 0, 1),
        (Transfer.LOAD, Space.QUEUE, 0, depth, 1),
        (Transfer.LOAD, Space.QUEUE, 0, 1, depth),
        (Transfer.READ, Space.QUEUE, 0, 0, 1),
        (Transfer.READ, Space.STATUS, 0, 0, 1),
    ):
        assert "SLVERR" in await refused(host.transfer(*target)), target
    await refused(host.write("COUNTER_INDEX", QUEUES))
    assert await host.status() == {"idle", "done"}
    assert await copies(host, image) == alone


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_fault_hides_results_until_it_is_cleared(dut):
    """A GATHER out of its region stops the run and is named; memory is no result before the fault is cleared."""
    host, _ = await start(dut, "gather")
    await host.start(1)
    text = await refused(host.wait(50_000))
    assert "GATHER_RANGE" in text
    assert "fault" in await host.status()
    record = await host.fault()
    for access in (host.read_mem(0, 0, 1), host.load_mem(0, 0, np.zeros((1, CONFIG.vl), np.uint8)), host.start(1)):
        await refused(access)
    assert await host.fault() == record and record.code == Fault.GATHER_RANGE
    await host.command("clear")
    assert await host.fault() is None
    data = np.arange(2 * CONFIG.vl, dtype=np.uint8).reshape(2, -1)
    await host.load_mem(0, 0, data)
    assert (await host.read_mem(0, 0, 2) == data).all()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_lost_word_is_not_read_as_a_result(dut):
    """The host reads a word with one wrong bit corrected and counted, with two as a fault."""
    host, _ = await start(dut, "copy")
    vectors = np.frombuffer(bytes.fromhex(os.environ["TAKT_INTRUDER_VECTORS"]), np.uint8).reshape(3, -1)
    await host.load_mem(3, 5, vectors)
    before = await host.read("CORRECTED")
    assert (await host.read_mem(3, 5, 2) == vectors[:2]).all()
    assert await host.read("CORRECTED") == before + 2
    assert "HOST_ECC" in await refused(host.read_mem(3, 7, 1))
    record = await host.fault()
    assert (record.code, record.unit) == (Fault.HOST_ECC, 3)
    await host.recover()
    assert (await host.read_mem(3, 5, 2) == vectors[:2]).all()
