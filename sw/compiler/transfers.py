"""The template between chips: bytes of vectors leave one chip on its links, and come to another."""

from collections import defaultdict
from dataclasses import dataclass

from sw.arch.floorplan import Queue
from sw.arch.links import frame_words
from sw.arch.system import Link, System
from sw.compiler.chip import Chip
from sw.compiler.route import Router
from sw.compiler.tasks import Arrival, Departure
from sw.compiler.vectors import Vector
from sw.compiler.ways import QUEUE

#: Numbers of frames before they begin again (see `docs/links.md`).
NUMBERS = 1 << 12


@dataclass(frozen=True)
class Lane:
    """A link as two queues: that of the port where it begins, and that of the port where it ends."""

    link: Link
    send: Queue
    receive: Queue


class Transfers:
    """Places departures together with their arrivals; cycles are the same on all chips.

    Bytes of a vector come in by one unit, so that they lie on one side of all others. Where several links join the same
    two units the bytes go side by side.
    """

    def __init__(self, system: System, chip: Chip, routers: list[Router]):
        self.chip, self.routers, self.frame = chip, routers, frame_words(system.config)
        self.used: set[Link] = set()
        self._bundles: dict[tuple[int, int], list[list[Lane]]] = {}
        by_units: dict[tuple, list[Lane]] = defaultdict(list)
        for link in system.links:
            lane = Lane(link, _queue(chip, "SEND", link.source.number), _queue(chip, "RECEIVE", link.target.number))
            by_units[link.source.chip, link.target.chip, lane.send.unit.stop, lane.receive.unit.stop].append(lane)
        for (source, target, *_), lanes in by_units.items():
            self._bundles.setdefault((source, target), []).append(lanes)
        self._turn = 0
        #: For every lane's link the frames on it: (cycle of SEND, the field values of SEND, those of RECEIVE).
        self._frames: dict[Link, list[tuple[int, dict, dict]]] = defaultdict(list)

    def joined(self, source: int, target: int) -> bool:
        """Whether any link leads from a chip to another."""
        return (source, target) in self._bundles

    def latency(self, task: Departure, source: int, target: int) -> int:
        """About how long a departure takes until all of it is in the other chip's memory."""
        lanes = max(self._bundles[source, target], key=len)
        frames = sum(vector.bytes for vector in task.source)
        hops = abs(lanes[0].send.unit.stop - self.chip.vxm)
        trip = lanes[0].link.latency + self.chip.timing("RECEIVE").d_func
        return 2 * hops + trip + self.frame * -(-frames // len(lanes))

    def earliest(self, task: Departure, source: int, target: int) -> int:
        """The first cycle in which the first byte can stand at a port."""
        router = self.routers[source]
        stops = {lanes[0].send.unit.stop for lanes in self._bundles[source, target]}
        return max(0, min(router.earliest(task.source[0], stop) for stop in stops))

    def place(self, task: Departure, arrival: Arrival, start: int, source: int, target: int) -> bool:
        """Sends everything off from cycle `start` on, by the first bundle of links that can take it."""
        bundles = self._bundles[source, target]
        for k in range(len(bundles)):
            if self._by(bundles[(self._turn + k) % len(bundles)], task, arrival, start, source, target):
                self._turn += 1
                task.start = start
                return True
        return False

    @property
    def end(self) -> int:
        """The cycle after which nothing is on its way any more."""
        lasts = (frames[-1][0] + link.latency + self.frame for link, frames in self._frames.items() if frames)
        return max(lasts, default=0)

    def number(self) -> None:
        """Counts the frames of every link, when all are placed."""
        for frames in self._frames.values():
            frames.sort(key=lambda frame: frame[0])
            for number, (_, sent, received) in enumerate(frames):
                sent["number"] = received["number"] = number % NUMBERS

    def _by(self, lanes: list[Lane], task: Departure, arrival: Arrival, start: int, source: int, target: int) -> bool:
        here, there = self.routers[source], self.routers[target]
        marks = here.board.mark(), there.board.mark()
        free, stands, turn = [start] * len(lanes), [], 0
        for vector, out in zip(task.source, arrival.outs, strict=True):
            numbers = [(turn + j) % len(lanes) for j in range(vector.bytes)]
            turn += vector.bytes
            frames = self._sends(vector, lanes, numbers, free, here)
            if frames is None or not self._lands(out, [lanes[n] for n in numbers], frames, here, there):
                here.board.undo(marks[0])
                there.board.undo(marks[1])
                return False
            stands.append(frames[0][0] + lanes[numbers[0]].link.latency)
        arrival.start = min(stands)
        self.used.update(lane.link for lane in lanes[:turn])
        return True

    def _sends(self, vector: Vector, lanes: list[Lane], numbers: list[int], free: list[int], here: Router):
        """For every byte the cycle of its SEND and its stream, from the cycles on in which lanes are `free`; a few later
        where it cannot be read at once. None if it cannot be."""
        frames = []
        for byte, number in zip(vector.each_byte(), numbers, strict=True):
            queue, mark = lanes[number].send, here.board.mark()
            for cycle in range(free[number], free[number] + self.frame):
                if all(here.board.claim(QUEUE + queue.index, cycle + k) for k in range(self.frame)):
                    codes = here.bring([byte], [cycle], queue.unit.stop, self._streams(queue, outward=True))
                    if codes is not None:
                        frames.append((cycle, codes[0]))
                        free[number] = cycle + self.frame
                        break
                here.board.undo(mark)
            else:
                return None
        return frames

    def _lands(self, out: Vector, lanes: list[Lane], frames: list[tuple[int, int]], here: Router, there: Router) -> bool:
        """Has a vector's frames received and written."""
        comes = [cycle + lane.link.latency for lane, (cycle, _) in zip(lanes, frames, strict=True)]
        unit, first = lanes[0].receive.unit, min(comes)
        choices = self._streams(lanes[0].receive, outward=False)[:: out.bytes]
        stands = first + self.chip.timing("RECEIVE").d_func
        code = there.land([out], choices, unit.stop, [stands], out.bytes, late=[came - first for came in comes])
        if code is None:
            return False
        for j, (lane, (cycle, stream)) in enumerate(zip(lanes, frames, strict=True)):
            self._issue(lane, cycle, stream, comes[j], code + j, here, there)
        return True

    def _issue(self, lane: Lane, cycle: int, source: int, came: int, target: int, here: Router, there: Router) -> None:
        sent = {"stream": source, "number": 0, "stride": 0}
        received = {"stream": target, "number": 0, "stride": 0}
        here.board.issue(lane.send.index, cycle, "SEND", sent)
        there.board.issue(lane.receive.index, came, "RECEIVE", received)
        frames, frame = self._frames[lane.link], (cycle, sent, received)
        frames.append(frame)
        here.board.on_undo(frames.pop)

    def _streams(self, queue: Queue, outward: bool) -> range:
        """Codes of the streams that run to the edge on which a port stands, or away from it."""
        count = self.chip.config.streams
        eastward = (queue.unit.hemisphere == 1) == outward
        return range(count) if eastward else range(count, 2 * count)


def _queue(chip: Chip, half: str, port: int) -> Queue:
    hemisphere, number = divmod(port, chip.config.c2c.links)
    return chip.queues[f"C2C_{'WE'[hemisphere]}_{half}{number}"]
