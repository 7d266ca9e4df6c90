"""One SRAM macro: the only module in which a large memory stands, so that tools map it to block RAM."""

from amaranth import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class Sram(wiring.Component):
    """A bank of `depth` words of `width` bits with one read and one write port.

    Both ports are synchronous: `read_data` holds the word of `read_addr` from the cycle after `read_en`
    until the next `read_en`. By contract no word is read and written in the same cycle. Contents and
    `read_data` are undefined at power-up.

    Members: `read_en`, `read_addr`, `read_data`, `write_en`, `write_addr`, `write_data`.
    """

    def __init__(self, depth: int, width: int):
        if depth < 2 or width < 1:
            raise ValueError(f"An SRAM needs at least 2 words of 1 bit, not {depth} of {width}.")
        self.depth = depth
        self.width = width
        address = range(depth)
        super().__init__({
            "read_en": In(1),
            "read_addr": In(address),
            "read_data": Out(width),
            "write_en": In(1),
            "write_addr": In(address),
            "write_data": In(width),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.mem = mem = memory.Memory(
            shape=self.width, depth=self.depth, init=[], attrs={"no_rw_check": 1}
        )
        read, write = mem.read_port(), mem.write_port()
        m.d.comb += [
            read.en.eq(self.read_en),
            read.addr.eq(self.read_addr),
            self.read_data.eq(read.data),
            write.en.eq(self.write_en),
            write.addr.eq(self.write_addr),
            write.data.eq(self.write_data),
        ]
        return m
