"""A cocotb test that serves one or more chips: takes requests over a socket and carries them out through host ports."""

import ctypes
import logging
import os
from multiprocessing.connection import Client

import cocotb
from cocotb.triggers import First, Timer
from cocotb.utils import get_sim_time

from tb.bulk import BulkSource
from tb.host import Host, HostError
from tb.power_up import power_up

ADDRESS = "TAKT_SERVE_ADDRESS"
KEY = "TAKT_SERVE_KEY"


#: In a simulator of several chips: the period of each one's clock in ps.
PERIODS = "TAKT_SERVE_PERIODS_PS"


@cocotb.test()
async def serve(dut):
    """Answers each (chip, method, arguments) with ("ok", result), ("refused", text) or ("failed", error), until "close"."""
    # The masters tell every access with its data.
    dut._log.setLevel(logging.WARNING)
    chips = [dut]
    if PERIODS in os.environ:
        periods = os.environ[PERIODS].split()
        chips = [ChipView(dut, number) for number in range(len(periods))]
        for chip, period in zip(chips, periods, strict=True):
            await power_up(chip, int(period))
    else:
        await power_up(dut)
    sessions = [_Session(Host(chip, BulkSource)) for chip in chips]
    with Client(os.environ[ADDRESS], authkey=bytes.fromhex(os.environ[KEY])) as wire:
        while True:
            number, name, arguments = wire.recv()
            if name == "close":
                wire.send(("ok", None))
                return
            try:
                if name == "run_all":
                    result = await _run_all(sessions, *arguments)
                elif name == "side_by_side":
                    result = await _side_by_side(sessions, *arguments)
                else:
                    result = await getattr(sessions[number], name)(*arguments)
                wire.send(("ok", result))
            except HostError as error:
                wire.send(("refused", str(error)))
            except Exception as error:
                wire.send(("failed", repr(error)))
                raise


class ChipView:
    """One chip of several: its ports, by their names there."""

    def __init__(self, dut, number: int):
        self._dut, self._prefix = dut, f"chip_{number}_"
        self._log, self._name = dut._log, f"{dut._name}.chip_{number}"

    def __getattr__(self, name: str):
        return getattr(self._dut, self._prefix + name)

    def __dir__(self):
        return [name.removeprefix(self._prefix) for name in dir(self._dut) if name.startswith(self._prefix)]


async def _run_all(sessions: list, iterations: int, limit: int, delays: list[int]) -> list:
    """Runs all chips, each started some time (in ps) after the request. A chip that faults or does not end stops the
    others. For each what `_Session.attempt` says."""

    async def begin(session, delay: int):
        await Timer(max(1, delay), "ps")
        return await session.attempt(iterations, limit)

    tasks = {session: cocotb.start_soon(begin(session, delay)) for session, delay in zip(sessions, delays, strict=True)}
    found = {}
    while len(found) < len(tasks):
        await First(*(task for session, task in tasks.items() if session not in found))
        found |= {session: task.result() for session, task in tasks.items() if session not in found and task.done()}
        if any(fault or problem for _, _, fault, problem in found.values()):
            for session, task in tasks.items():
                if session not in found:
                    task.cancel()
                    found[session] = *await session.stop(), None
    return [found[session] for session in sessions]


async def _side_by_side(sessions: list, requests: list[list[tuple]]) -> None:
    """Carries out the requests of each chip one after the other, those of different chips side by side."""

    async def carry_out(session, own: list[tuple]):
        for name, *arguments in own:
            await getattr(session, name)(*arguments)

    for task in [cocotb.start_soon(carry_out(*pair)) for pair in zip(sessions, requests, strict=True)]:
        await task


class _Session:
    """The requests of `tb.machine.CocotbChip`, each one or a few calls of the host driver."""

    def __init__(self, host: Host):
        self.host = host

    async def connect(self, config_hash):
        await self.host.connect(config_hash)

    async def load_queue(self, queue, words):
        await self.host.load_queue(queue, words)

    async def load_mem(self, slice_number, address, vectors):
        await self.host.load_mem(slice_number, address, vectors)

    async def read_mem(self, slice_number, address, count):
        return await self.host.read_mem(slice_number, address, count)

    async def run(self, iterations, limit):
        """Cycles of the run and the fault that ended it, if any."""
        cycles, _, fault, problem = await self.attempt(iterations, limit)
        if problem:
            raise HostError(problem)
        return cycles, fault

    async def attempt(self, iterations, limit):
        """Cycles of a run, its iterations, the fault that ended it, and in words what else kept it from its end."""
        await self.host.start(iterations)
        try:
            ended = await self.host.wait(limit), iterations, None, None
        except HostError as error:
            cycles, done, fault = await self.stop()
            ended = cycles, iterations if fault else done, fault, None if fault else str(error)
        ctypes.CDLL(None).fflush(None)
        return ended

    async def stop(self):
        """Ends a run and clears its fault; cycles and iterations so far, and the fault."""
        cycles, done, fault = await self.host.cycles(), await self.host.read("ITERATION"), await self.host.fault()
        await self.host.recover()
        return cycles, done, fault

    async def age(self):
        """Time since the simulation began, in ps."""
        return int(get_sim_time("ps"))

    async def register(self, name):
        return await self.host.read(name)

    async def set_register(self, name, value):
        await self.host.write(name, value)

    async def counters(self, queue):
        return await self.host.counters(queue)
