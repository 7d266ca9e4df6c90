"""Sends packets to an AXI4-Stream port at a beat a cycle, from within the simulator."""

import ctypes

from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame

from tb.toolchain import ToolError


class BulkSource:
    """Stands in for cocotbext-axi's AxiStreamSource, without its pauses: what is sent has to be whole beats."""

    def __init__(self, bus: AxiStreamBus, clock, reset):
        self._bus, self._clock = bus, clock
        for signal in (bus.tdata, bus.tvalid, bus.tlast, bus.tkeep, bus.tuser):
            signal.value = 0
        self._send = ctypes.CDLL(None).takt_send
        self._send.restype = ctypes.c_bool
        self._send.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)

    async def send(self, frame: AxiStreamFrame) -> None:
        """Begins to send a frame; `wait` before the next one."""
        prefix = self._bus.tdata._path.removesuffix("tdata")
        if not self._send(self._clock._path.encode(), prefix.encode(), bytes(frame.tdata), len(frame.tdata)):
            raise ToolError(f"The simulator does not show an AXI4-Stream port {prefix}*.")

    async def wait(self) -> None:
        """Waits until the port has taken the frame."""
        await FallingEdge(self._bus.tvalid)
