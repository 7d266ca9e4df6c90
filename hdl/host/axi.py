"""AXI signatures of the host port, seen from the side that drives valid addresses or data."""

from amaranth.lib import wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out


class Response(Enum, shape=2):
    """AXI response codes."""

    OKAY = 0
    SLVERR = 2
    DECERR = 3


class Axi4Lite(wiring.Signature):
    """AXI4-Lite with 32-bit data, without protection bits."""

    def __init__(self, addr_bits: int):
        super().__init__({
            "awaddr": Out(addr_bits),
            "awvalid": Out(1),
            "awready": In(1),
            "wdata": Out(32),
            "wstrb": Out(4),
            "wvalid": Out(1),
            "wready": In(1),
            "bresp": In(2),
            "bvalid": In(1),
            "bready": Out(1),
            "araddr": Out(addr_bits),
            "arvalid": Out(1),
            "arready": In(1),
            "rdata": In(32),
            "rresp": In(2),
            "rvalid": In(1),
            "rready": Out(1),
        })


class Axi4Stream(wiring.Signature):
    """AXI4-Stream of `stream_bytes` bytes a beat; `tuser` marks a beat with bytes that are not data."""

    def __init__(self, stream_bytes: int):
        super().__init__({
            "tdata": Out(8 * stream_bytes),
            "tkeep": Out(stream_bytes),
            "tlast": Out(1),
            "tuser": Out(1),
            "tvalid": Out(1),
            "tready": In(1),
        })
