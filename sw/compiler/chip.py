"""What a schedule has to know of a chip: stops, queues, slices and latencies, looked up once."""

from dataclasses import dataclass

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.arch.floorplan import Queue, Unit, floorplan
from sw.isa.rows.vxm import alu_class, reachable_groups
from sw.isa.spec import Timing
from sw.isa.table import instruction


@dataclass(frozen=True)
class Engine:
    """A queue of the switch unit or of a plane."""

    queue: Queue
    stop: int
    hemisphere: int


class Chip:
    """A configuration as the scheduler sees it."""

    def __init__(self, config: Config):
        self.config, self.plan = config, floorplan(config)
        self.vxm = next(unit.stop for unit in self.plan.units if unit.kind == "VXM")
        self.slices = self.plan.slices
        self.slice_stop = [unit.stop for unit in self.slices]
        self.slice_queue = [self.plan.queue(unit.name).index for unit in self.slices]
        #: Slice numbers of both hemispheres, from the centre outwards.
        self.sides = tuple(
            sorted((n for n, u in enumerate(self.slices) if u.hemisphere == side), key=lambda n: self.slices[n].number)
            for side in (0, 1)
        )
        #: Of each slice, how far it is from the centre, in pairs of stops.
        self.nearness = [(abs(stop - self.vxm) - 1) // 2 for stop in self.slice_stop]
        #: Stops of planes, switch engines and links.
        self.edges = {unit.stop for unit in self.plan.units if unit.kind in ("MXM", "SXM", "C2C")}
        self._timings: dict[tuple[str, int], Timing] = {}
        #: Streams, and so slices, that bring weights to a plane at once.
        self.load_streams = 1 << (min(16, config.vl, config.streams, config.mem.slices).bit_length() - 1)
        self.planes = {unit.name: unit for unit in self.plan.units if unit.kind == "MXM"}
        self.queues = {queue.name: queue for queue in self.plan.queues}
        self.read_lead = instruction("READ").timing(config, {}).d_func - 1
        self.alu_queues = [self.queues[f"VXM{alu}"].index for alu in range(config.alus)]
        self.reach = [reachable_groups(config, alu) for alu in range(config.alus)]
        able = {"simple": range(config.alus), "float": config.vxm.float_alus, "special": config.vxm.special_alus}
        self._able = {kind: frozenset(alus) for kind, alus in able.items()}

    def timing(self, name: str, dtype: int = 0) -> Timing:
        """Constants of an instruction."""
        key = name, dtype
        if key not in self._timings:
            self._timings[key] = instruction(name).timing(self.config, {"dtype": dtype})
        return self._timings[key]

    def able(self, fn: str, dtype: DType) -> frozenset[int]:
        """ALUs that do an operation."""
        return self._able[alu_class(fn, dtype)]

    def engines(self, kind: str) -> list[Engine]:
        """All engines of a kind of the switch unit."""
        return [Engine(q, q.unit.stop, q.unit.hemisphere) for q in self.plan.queues if q.cls == f"SXM_{kind}"]

    def beats(self, dtype: DType) -> int:
        """LW words that a tile of weights takes."""
        return self.config.vl * dtype.streams // self.load_streams

    def weight_slices(self, plane: str) -> list[int]:
        """The slices from which a plane takes its weights, one for each stream of an LW; the outermost ones."""
        unit, count = self.planes[plane], self.load_streams
        side = self.sides[unit.hemisphere]
        group = unit.number % (len(side) // count)
        end = len(side) - group * count
        return side[end - count : end]

    def unit(self, name: str) -> Unit:
        """A unit by its name."""
        return self.plan.unit(name)
