"""What a vector costs on its way, in cycles."""

from dataclasses import dataclass

from sw.arch.config import Config, ConfigError
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.arch.links import frame_words
from sw.isa.spec import Op
from sw.isa.table import instruction

#: Bytes, and so words in different slices, of the widest number that is added.
WIDEST = DType.FP32.streams


@dataclass(frozen=True)
class Costs:
    """Constants of a chip. Cycles at which a vector stands on a stream are those at the C2C unit it came through, or goes to.

    `frame`: a port sends for so long. `receive`: from a frame's first word at a port to the vector on a stream. `forward`:
    from the first word at a port to the FORWARD of it. `cross`: from the vector on a stream to its next SEND from any port
    of the chip, by way of the memory, in which it may wait longer. `add`: a sum of two FP32 in the vector unit, `level`: one
    more ALU of the chain before it. `settle`: what it takes to read a sum that lies near the vector unit to either side.
    `apart`: sums of a chip are so far apart that they never need the same ALU or stream.
    """

    frame: int
    receive: int
    forward: int
    cross: int
    add: int
    level: int
    settle: int
    apart: int

    def sum(self, parts: int) -> int:
        """From the last of so many vectors on a stream to their sum at any C2C unit: into memory, to the vector unit, through
        a chain of ALUs that is added up from both ends to its middle, and by way of memory to the unit."""
        return self.cross + self.settle + self.add + (-(-parts // 2) - 1) * self.level


def costs(config: Config) -> Costs:
    """Constants of a configuration; ConfigError if it has no links."""
    if not config.c2c.links:
        raise ConfigError(f"'{config.name}' has no links, a network needs c2c.links of at least 1.")
    plan, frame = floorplan(config), frame_words(config)
    across = plan.hops(plan.unit("C2C_W"), plan.unit("C2C_E"))
    # A word is read in the cycle behind its write.
    memory = 1 + instruction("READ").timing(config, {}).d_func
    add = Op(instruction("ADD"), {"dtype": DType.FP32}).timing(config)
    level = add.d_chain - add.chain_skew
    return Costs(
        frame=frame,
        receive=instruction("RECEIVE").timing(config, {}).d_func,
        forward=0,
        cross=across + memory,
        add=add.d_func,
        level=level,
        # The way through memory to the vector unit costs as much as that to a unit saves, but the way back to `near`.
        settle=2 * near(config) - 1,
        apart=config.alus // 2 * level + 1,
    )


def near(config: Config) -> int:
    """Stops on a side of the vector unit in whose slices its sums find room, a slice for each of their bytes."""
    return -(-WIDEST // config.mem.slices_per_stop)
