"""Weights on their way into a plane: where they lie, and the LWs and the IW that bring a tile in."""

from sw.arch.dtype import DType
from sw.arch.floorplan import Unit
from sw.compiler.chip import Chip
from sw.compiler.fills import Byte, Fill
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.route import Router
from sw.compiler.vectors import Copy, Tile, Vector
from sw.compiler.ways import QUEUE


class Loads:
    """Places weights in memory, and LWs and IWs on the queues of planes."""

    def __init__(self, chip: Chip, router: Router, memory: Memory):
        self.chip, self.router, self.memory, self.board = chip, router, memory, router.board
        #: Constant tiles in memory, by plane group and contents -> first word in each slice.
        self._placed: dict[tuple, list[int]] = {}

    def words(self, plane: str, dtype: DType, tile: Tile) -> list[list[Byte]]:
        """The bytes of the columns of a tile, for every beat and stream, where the plane can load them from."""
        if tile.constant:
            return self._constant(plane, dtype, tile)
        columns = self.chip.load_streams // dtype.streams
        beats = []
        for first in range(0, len(tile.columns), columns):
            beat: list[Byte] = []
            for vector in tile.columns[first : first + columns]:
                copy = self._striped(vector, len(beat), plane)
                beat.extend((s, w, copy.ready, vector, copy) for s, w in zip(copy.slices, copy.words, strict=True))
            beats.append(beat)
        return beats

    def _striped(self, vector: Vector, at: int, plane: str) -> Copy:
        """The copy of a column that comes on streams `at` on without meeting its neighbours."""
        wanted = tuple(self.chip.weight_slices(plane)[at : at + vector.bytes])
        for copy in vector.copies:
            if copy.slices == wanted or vector.home is not None:
                return copy
        if vector.data is not None:
            copy = self.memory.place_constant(vector, wanted, self.board)
            if copy is None:
                raise MemoryFull("A column of weights finds no room in the slices next to its plane.")
            return copy
        return self.router.recopy(vector, wanted)

    def _constant(self, plane: str, dtype: DType, tile: Tile) -> list[list[Byte]]:
        slices = self.chip.weight_slices(plane)
        key = (slices[0], id(tile))
        if key not in self._placed:
            self._placed[key] = self.memory.place_tile([column.data for column in tile.columns], slices)
        places = list(zip(slices, self._placed[key], strict=True))
        return [[(s, word + beat, 0, None, None) for s, word in places] for beat in range(self.chip.beats(dtype))]

    def earliest(self, unit: Unit, words: list[list[Byte]]) -> int:
        """The first cycle in which weights can be in the array."""
        late = len(words) - 1 + self.chip.timing("IW").d_func
        return late + max(
            ready + abs(self.chip.slice_stop[s] - unit.stop) + self.chip.read_lead - beat
            for beat, bytes_ in enumerate(words)
            for s, _, ready, _, _ in bytes_
        )

    def fill(self, unit: Unit, words: list[list[Byte]], after: int) -> Fill:
        """How a tile can come into a plane as the board is now, with its LWs after cycle `after`."""
        return Fill(self.chip, self.router, unit, words, after)

    def stand(self, unit: Unit, dtype: DType, words: list[list[Byte]], first: int, after: int, free: int) -> int | None:
        """Brings a tile into the array for passes from cycle `first` on; the cycle of its IW, None if it cannot be.

        after : the LWs come after this cycle
        free : the array is from this cycle on
        """
        fill = self.fill(unit, words, after)
        array = QUEUE + self.chip.queues[f"{unit.name}_A"].index
        install = next(fill.installs(first, free), None)
        if install is not None:
            for at in range(install + self.chip.timing("IW").d_func, first):
                self.board.claim(array, at)
            self._bring(unit, dtype, words, install, fill.way(install))
        return install

    def _bring(self, unit: Unit, dtype: DType, words, install: int, way: list[tuple[int, int]]) -> None:
        """Brings all columns on their way until the IW, which takes the weights queue for itself meanwhile."""
        queue = self.chip.queues[f"{unit.name}_W"].index
        count, columns = self.chip.load_streams, self.chip.load_streams // dtype.streams
        for at in range(way[-1][0], install + 1):
            self.board.claim(QUEUE + queue, at)
        for beat, (at, code) in zip(reversed(range(len(words))), way, strict=True):
            self._load(words[beat], at, unit, code)
            values = {"dtype": int(dtype.is_float), "stream": code, "n": count.bit_length() - 1, "col": beat * columns}
            self.board.issue(queue, at, "LW", values | {"stride": 0})
        self.board.issue(queue, install, "IW", {})

    def _load(self, beat: list[Byte], cycle: int, unit: Unit, code: int) -> None:
        """Brings columns to a plane on the streams from `code` on."""
        board, router, lead = self.board, self.router, self.chip.read_lead
        for j, (s, word, _, vector, copy) in enumerate(beat):
            at = self.chip.slice_stop[s]
            issue = cycle - abs(at - unit.stop) - lead
            router.claim_read(s, issue, issue, word)
            board.span(*router.line(code + j, at, issue + lead + 1, unit.stop))
            board.issue(self.chip.slice_queue[s], issue, "READ", {"addr": word, "stream": code + j, "stride": 0})
            if vector is not None:
                router.note_read(vector, copy, issue)
