"""What a vector costs on its way, in cycles."""

from dataclasses import dataclass

from sw.arch.config import Config, ConfigError
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.arch.links import frame_words
from sw.isa.spec import Op
from sw.isa.table import instruction


@dataclass(frozen=True)
class Costs:
    """Constants of a chip. Cycles at which a vector stands on a stream are those at the C2C unit it came through, or goes to.

    `frame`: a port sends for so long. `receive`: from a frame's first word at a port to the vector on a stream. `forward`:
    from the first word at a port to the FORWARD of it. `cross`: from the vector on a stream to its next SEND from any port
    of the chip, by way of the memory, in which it may wait longer. `add`: one level of a sum of FP32 in the vector unit.
    """

    frame: int
    receive: int
    forward: int
    cross: int
    add: int

    def sum(self, parts: int) -> int:
        """From the last of so many vectors on a stream to their sum at any C2C unit: a balanced tree of additions, and the
        width of the chip. The vector unit is taken to be free then, which the compiler sees to."""
        return self.cross + (parts - 1).bit_length() * self.add


def costs(config: Config) -> Costs:
    """Constants of a configuration; ConfigError if it has no links."""
    if not config.c2c.links:
        raise ConfigError(f"'{config.name}' has no links, a network needs c2c.links of at least 1.")
    plan, frame = floorplan(config), frame_words(config)
    across = plan.hops(plan.unit("C2C_W"), plan.unit("C2C_E"))
    # A word is read in the cycle behind its write.
    memory = 1 + instruction("READ").timing(config, {}).d_func
    add = Op(instruction("ADD"), {"dtype": DType.FP32}).timing(config).d_func
    receive = instruction("RECEIVE").timing(config, {}).d_func
    return Costs(frame=frame, receive=receive, forward=0, cross=across + memory, add=add)
