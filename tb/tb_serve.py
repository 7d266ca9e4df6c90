"""A cocotb test that serves a machine: takes requests over a socket and carries them out through the host port."""

import ctypes
import logging
import os
from multiprocessing.connection import Client

import cocotb

from tb.bulk import BulkSource
from tb.host import Host, HostError
from tb.power_up import power_up

ADDRESS = "TAKT_SERVE_ADDRESS"
KEY = "TAKT_SERVE_KEY"


@cocotb.test()
async def serve(dut):
    """Answers each (method, arguments) with ("ok", result), ("refused", text) or ("failed", error), until "close"."""
    # The masters tell every access with its data.
    dut._log.setLevel(logging.WARNING)
    await power_up(dut)
    session = _Session(Host(dut, BulkSource))
    with Client(os.environ[ADDRESS], authkey=bytes.fromhex(os.environ[KEY])) as wire:
        while True:
            name, arguments = wire.recv()
            if name == "close":
                wire.send(("ok", None))
                return
            try:
                wire.send(("ok", await getattr(session, name)(*arguments)))
            except HostError as error:
                wire.send(("refused", str(error)))
            except Exception as error:
                wire.send(("failed", repr(error)))
                raise


class _Session:
    """The requests of `tb.machine.CocotbMachine`, each one or a few calls of the host driver."""

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
        await self.host.start(iterations)
        try:
            cycles, fault = await self.host.wait(limit), None
        except HostError:
            fault, cycles = await self.host.fault(), await self.host.cycles()
            await self.host.recover()
            if fault is None:
                raise
        ctypes.CDLL(None).fflush(None)
        return cycles, fault

    async def register(self, name):
        return await self.host.read(name)

    async def counters(self, queue):
        return await self.host.counters(queue)
