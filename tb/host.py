"""Drives a chip through its host port with cocotbext-axi's masters, as a host's driver would."""

from collections.abc import Awaitable
from dataclasses import dataclass

import cocotb
import numpy as np
from cocotb.triggers import First, RisingEdge, Timer
from cocotb.utils import get_sim_time
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from sw.arch.hostmap import FAULT_DOC, ID, NO_QUEUE, REGISTERS, VERSION, Fault, Space, Transfer
from sw.isa.fields import WORD_BYTES

_POLL_CYCLES = 20
_ACCESS_CYCLES = 20_000


class HostError(RuntimeError):
    """The chip refused, faulted or did not answer in time; the text says what was asked."""


@dataclass(frozen=True)
class FaultRecord:
    """The first fault, as the chip's registers name it; `queue` is None when it belongs to no queue."""

    code: Fault
    unit: int
    queue: int | None
    cycle: int

    def __str__(self):
        queue = "no queue" if self.queue is None else f"queue {self.queue}"
        where = f"unit {self.unit}, {queue}, in cycle {self.cycle}"
        return f"Fault {self.code.name} of {where}: {FAULT_DOC[self.code]}."


@dataclass(frozen=True)
class Counters:
    """Of one queue in the last run: cycles in which it gave its unit a word, errors corrected in operands of its words."""

    busy: int
    corrected: int


class Host:
    """The host port of `dut`, whose ports are named as `hdl.host.port.HostPort` names them, with `clk` and
    `rst`.

    `source` is the class of what sends to the input stream.

    Every method raises HostError if the chip answers with an AXI error, has a fault that the call ran
    into, or takes longer than it can. Call `connect` after reset and before anything else.
    """

    def __init__(self, dut, source: type = AxiStreamSource):
        self.dut = dut
        self.axil = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_"), dut.clk, dut.rst)
        self.source = source(AxiStreamBus.from_prefix(dut, "s_axis_"), dut.clk, dut.rst)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_"), dut.clk, dut.rst)
        self._period = 0

    async def connect(self, config_hash: int | None = None):
        """Make sure that this is a chip we know, of the configuration with `config_hash` if that is given."""
        await RisingEdge(self.dut.clk)
        begin = get_sim_time("step")
        await RisingEdge(self.dut.clk)
        self._period = get_sim_time("step") - begin
        for name, expected in (("ID", ID), ("VERSION", VERSION), ("CONFIG", config_hash)):
            found = await self.read(name)
            if expected is not None and found != expected:
                raise HostError(f"Register {name} reads 0x{found:08X}; this host expects 0x{expected:08X}.")
        geometry = await self.read("GEOMETRY")
        self.lanes, self.superlanes = geometry & 0xFF, geometry >> 8 & 0xFF
        self.stream_bytes = geometry >> 16 & 0xFF

    @property
    def vector_bytes(self) -> int:
        """Bytes of one vector."""
        return self.lanes * self.superlanes

    async def read(self, name: str) -> int:
        """The value of a register."""
        access = self.axil.read(REGISTERS[name].offset, 4)
        answer = await self._within(_ACCESS_CYCLES, access, f"A read of {name}")
        if answer.resp != AxiResp.OKAY:
            raise HostError(f"A read of {name} was refused with {answer.resp.name}.")
        return int.from_bytes(answer.data, "little")

    async def write(self, name: str, value: int):
        """Write a register."""
        access = self.axil.write(REGISTERS[name].offset, value.to_bytes(4, "little"))
        answer = await self._within(_ACCESS_CYCLES, access, f"A write to {name}")
        if answer.resp != AxiResp.OKAY:
            raise HostError(f"A write of {value} to {name} was refused with {answer.resp.name}.")

    async def status(self) -> set[str]:
        """Names of the bits that are set in STATUS."""
        register = REGISTERS["STATUS"]
        value = await self.read("STATUS")
        return {name for name in register.bits if value & register.bit(name)}

    async def load_mem(self, slice_number: int, address: int, vectors: np.ndarray):
        """Write uint8 vectors [n, VL] to words address, address + 1, ... of a MEM slice."""
        await self._load(Space.MEM, slice_number, address, vectors, self.vector_bytes)

    async def load_queue(self, queue: int, words: np.ndarray, address: int = 0):
        """Write instruction words, uint8 [n, 16], to a queue."""
        await self._load(Space.QUEUE, queue, address, words, WORD_BYTES)

    async def read_mem(self, slice_number: int, address: int, count: int) -> np.ndarray:
        """Read `count` vectors, uint8 [count, VL], from a MEM slice."""
        await self.transfer(Transfer.READ, Space.MEM, slice_number, address, count)
        limit = 1000 + 50 * count * self.vector_bytes
        frame = await self._within(limit, self.sink.recv(), f"A read of {count} vectors")
        await self._settle("reading", f"Reading {count} vectors from slice {slice_number}")
        return np.frombuffer(bytes(frame.tdata), np.uint8).reshape(count, self.vector_bytes)

    async def transfer(self, command: Transfer, space: Space, unit: int, address: int, count: int):
        """Begin a transfer, whose data then goes through `source` or `sink`."""
        for name, value in (("SPACE", space), ("UNIT", unit), ("ADDRESS", address), ("COUNT", count)):
            await self.write(f"TARGET_{name}", value)
        await self.write("TRANSFER", command)

    async def start(self, iterations: int = 1):
        """Begin a run."""
        await self.write("ITERATIONS", iterations)
        await self.command("start")

    async def wait(self, limit: int = 1_000_000) -> int:
        """Wait at most `limit` cycles for the run to end; its length in cycles."""
        if not self.dut.interrupt.value:
            await self._within(limit, RisingEdge(self.dut.interrupt), "The run")
        await self._raise_fault()
        return await self.cycles()

    async def cycles(self) -> int:
        """Cycles of the current or last run."""
        low = await self.read("CYCLES_LO")
        return low | await self.read("CYCLES_HI") << 32

    async def command(self, name: str):
        """Set one bit of CONTROL: "start", "clear" or "abort"."""
        await self.write("CONTROL", REGISTERS["CONTROL"].bit(name))

    async def recover(self):
        """Abort whatever is going on and clear a fault."""
        await self.command("abort")
        for activity in ("loading", "reading"):
            await self._settle(activity, "An abort", raise_fault=False)
        await self.command("clear")

    async def fault(self) -> FaultRecord | None:
        """The pending fault."""
        code = Fault(await self.read("FAULT"))
        if code == Fault.NONE:
            return None
        queue = await self.read("FAULT_QUEUE")
        cycle = await self.read("FAULT_CYCLE_LO") | await self.read("FAULT_CYCLE_HI") << 32
        return FaultRecord(code, await self.read("FAULT_UNIT"), None if queue == NO_QUEUE else queue, cycle)

    async def counters(self, queue: int) -> Counters:
        """Counters of a queue in the last run."""
        await self.write("COUNTER_INDEX", queue)
        return Counters(await self.read("COUNTER_BUSY"), await self.read("COUNTER_CORRECTED"))

    async def _load(self, space: Space, unit: int, address: int, words: np.ndarray, word_bytes: int):
        if words.dtype != np.uint8 or words.ndim != 2 or words.shape[1] != word_bytes:
            given = f"{words.dtype} of shape {words.shape}"
            raise HostError(f"A load to {space.name} takes uint8 [n, {word_bytes}], not {given}.")
        await self.transfer(Transfer.LOAD, space, unit, address, len(words))
        await self.source.send(AxiStreamFrame(words.tobytes()))
        what = f"Loading {len(words)} words to {space.name} {unit}"
        await self._within(1000 + 50 * words.size, self.source.wait(), what)
        await self._settle("loading", what)

    async def _settle(self, activity: str, what: str, raise_fault: bool = True):
        """Wait until STATUS no longer shows `activity`."""
        for _ in range(_ACCESS_CYCLES // _POLL_CYCLES):
            status = await self.status()
            if raise_fault and "fault" in status:
                await self._raise_fault()
            if activity not in status:
                return
            await Timer(_POLL_CYCLES * self._period, "step")
        raise HostError(f"{what} did not come to an end.")

    async def _raise_fault(self):
        fault = await self.fault()
        if fault:
            raise HostError(str(fault))

    async def _within(self, cycles: int, awaitable: Awaitable, what: str):
        """The result of `awaitable`, if it has one before `cycles` have passed."""
        task = cocotb.start_soon(_result(awaitable))
        if self._period:
            await First(task, Timer(cycles * self._period, "step"))
        else:
            await task
        if not task.done():
            task.cancel()
            raise HostError(f"{what} did not end within {cycles} cycles.")
        return task.result()


async def _result(awaitable: Awaitable):
    return await awaitable
