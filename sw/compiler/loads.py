"""Weights on their way into a plane: where they lie, and the LWs and the IW that bring a tile in."""

from sw.arch.dtype import DType
from sw.arch.floorplan import Unit
from sw.compiler.chip import Chip
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.route import Router
from sw.compiler.vectors import Copy, Tile, Vector
from sw.compiler.ways import QUEUE

#: A byte of a column: slice, word, the first cycle in which it can be read, and what to count reads by unless constant.
Byte = tuple[int, int, int, Vector | None, Copy | None]
#: Cycles by which the LWs of a tile may be apart from each other, all together.
GAPS = 32


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

    def stand(self, unit: Unit, dtype: DType, words: list[list[Byte]], first: int, after: int, free: int) -> int | None:
        """Brings a tile into the array for passes from cycle `first` on; the cycle of its IW, None if it cannot be.

        after : the LWs come after this cycle
        free : the array is from this cycle on

        The tile comes in before it is needed by as much as the LWs of the next one take, if it can.
        """
        late, mark = self.chip.timing("IW").d_func, self.board.mark()
        array = QUEUE + self.chip.queues[f"{unit.name}_A"].index
        begin = max(first - late - len(words), after + len(words), free - late)
        for install in range(begin, first - late + 1):
            if all(self.board.claim(array, at) for at in range(install + late, first)) and self._fill(
                unit, dtype, words, install, after
            ):
                return install
            self.board.undo(mark)
        return None

    def _fill(self, unit: Unit, dtype: DType, words: list[list[Byte]], install: int, after: int) -> bool:
        """Brings all columns until the IW, which takes the weights queue for itself meanwhile."""
        queue = self.chip.queues[f"{unit.name}_W"].index
        count, columns = self.chip.load_streams, self.chip.load_streams // dtype.streams
        codes, at = self._codes(unit), install
        begin = max(after, install - len(words) - GAPS)
        for beat in reversed(range(len(words))):
            code = None
            while code is None:
                if at <= begin or not self.board.claim(QUEUE + queue, at):
                    return False
                code = next((code for code in codes if self._load(words[beat], at, unit, code)), None)
                at -= 1
            codes.sort(key=lambda other, code=code: other != code)
            values = {"dtype": int(dtype.is_float), "stream": code, "n": count.bit_length() - 1, "col": beat * columns}
            self.board.issue(queue, at + 1, "LW", values | {"stride": 0})
        self.board.issue(queue, install, "IW", {})
        return True

    def _codes(self, unit: Unit) -> list[int]:
        """First streams of the groups that bring weights to a plane; those of a neighbour come last."""
        count, streams = self.chip.load_streams, self.chip.config.streams
        base = streams if unit.hemisphere == 0 else 0
        codes = list(range(base, base + streams, count))
        return codes[::-1] if unit.number % 2 else codes

    def _load(self, beat: list[Byte], cycle: int, unit: Unit, code: int) -> bool:
        """Brings columns to a plane on the streams from `code` on."""
        west, board, router = unit.hemisphere == 0, self.board, self.router
        lead, mark = self.chip.read_lead, board.mark()
        for j, (s, word, ready, vector, copy) in enumerate(beat):
            at = self.chip.slice_stop[s]
            issue = cycle - abs(at - unit.stop) - lead
            if (
                issue < ready
                or (at < unit.stop) == west
                or not router.claim_read(s, issue, issue, word)
                or not board.span(*router.line(code + j, at, issue + lead + 1, unit.stop))
            ):
                board.undo(mark)
                return False
            board.issue(self.chip.slice_queue[s], issue, "READ", {"addr": word, "stream": code + j, "stride": 0})
            if vector is not None:
                router.note_read(vector, copy, issue)
        return True
