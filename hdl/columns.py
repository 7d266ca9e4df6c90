"""Which columns stand for a unit of the floorplan, and which of the unit's queues feed each of them."""

from dataclasses import dataclass

from hdl.c2c.port import Port
from hdl.column import Column
from hdl.mem.slice import Slice
from hdl.mxm.plane import Plane
from hdl.sxm.engines import engine
from hdl.vxm.unit import Vxm
from sw.arch.config import Config
from sw.arch.floorplan import Queue, Unit, floorplan


@dataclass(frozen=True)
class Placed:
    """A column and where it belongs. `name` is unique on the chip; the modules are shared by all columns of its kind."""

    name: str
    column: Column
    module: str
    tile_module: str
    unit: Unit
    queues: tuple[Queue, ...]


def columns(c: Config, unit: Unit, sim: bool) -> list[Placed]:
    """The columns of a unit, in the order of its queues."""
    queues = tuple(queue for queue in floorplan(c).queues if queue.unit == unit)
    if unit.kind == "MEM":
        return [Placed(unit.name.lower(), Slice(c, sim), "mem_slice", "mem_tile", unit, queues)]
    if unit.kind == "VXM":
        return [Placed("vxm", Vxm(c, sim), "vxm", "vxm_tile", unit, queues)]
    if unit.kind == "MXM":
        return [Placed(unit.name.lower(), Plane(c, sim), "mxm_plane", "mxm_tile", unit, queues)]
    if unit.kind == "SXM":
        return [_engine(c, queue, sim) for queue in queues]
    ports = [tuple(queue for queue in queues if queue.number == link) for link in range(c.c2c.links)]
    return [
        Placed(f"{unit.name.lower()}_port{k}", Port(c, sim), "c2c_port", "c2c_tile", unit, pair) for k, pair in enumerate(ports)
    ]


def _engine(c: Config, queue: Queue, sim: bool) -> Placed:
    module = queue.cls.lower()
    return Placed(queue.name.lower(), engine(c, queue.cls, sim), module, f"{module}_tile", queue.unit, (queue,))
