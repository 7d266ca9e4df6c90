"""The template of a dense product on one plane: weights in, passes, sums.

A use of the plane is one tile of weights with the passes that it serves. Its weights come in just before the first
pass, while the tile before still multiplies; uses of other tasks may lie between. With one activation vector the tiles
of k are outermost, so that a vector is taken once and held; with several, all rows meet a tile one after the other.
"""

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.route import Router
from sw.compiler.tasks import Product
from sw.compiler.vectors import Tile, Vector
from sw.compiler.ways import QUEUE
from sw.isa.fields import ACC_MODES

#: Unit numbers on the board for the ways out of the arrays, and for the activations that they hold.
MEETS, HOLDS = 6 << 12, 7 << 12


class Products:
    """Places products on planes."""

    def __init__(self, chip: Chip, router: Router, memory: Memory):
        self.chip, self.router, self.memory, self.board = chip, router, memory, router.board
        #: Plane and accumulator row -> (first cycle, last cycle) of each of its uses.
        self._rows: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._next_row = dict.fromkeys(chip.planes, 0)
        #: Constant tiles in memory, by plane group and contents -> first word in each slice.
        self._placed: dict[tuple, list[int]] = {}

    def earliest(self, task: Product) -> int:
        """The first cycle in which activations and weights allow the first pass of a prepared product."""
        stop, beats = self.chip.planes[task.plane].stop, self.beats(task.dtype)
        weights = max(
            ready + abs(self.chip.slice_stop[s] - stop) + self.chip.read_lead - beat
            for beat, words in enumerate(self._tiles[0][0])
            for s, _, ready, _, _ in words
        )
        late = beats - 1 + self.chip.timing("IW").d_func
        return max(weights + late, *(self.router.earliest(vector, stop) for vector in task.acts[0]))

    def prepare(self, task: Product) -> None:
        """Sees to it that all weights of a product lie where they can be loaded from."""
        self._tiles = [[self._words(task, tile) for tile in row] for row in task.tiles]

    def free_from(self, task: Product, cycle: int) -> int:
        """The first cycle, from `cycle` on, in which the plane starts no pass and is in none."""
        unit = QUEUE + self.chip.queues[f"{task.plane}_A"].index
        while self.board.held(unit, cycle) is not None:
            cycle += 1
        return cycle

    def place(self, task: Product, start: int) -> bool:
        """Schedules a prepared product with its first pass in cycle `start` exactly, the others as soon as they can be."""
        fp16, mark = task.dtype is DType.FP16, self.board.mark()
        ks, ns, count = len(task.tiles), len(task.tiles[0]), len(task.acts[0])
        order = [(k, n) for k in range(ks) for n in range(ns)]
        if count > 1:
            order.sort(key=lambda use: (use[1], use[0]))
        row = self._some_rows(task.plane, ns * count) if ks > 1 else 0
        passes: dict[tuple[int, int], list[int]] = {}
        turn, again = self.chip.timing("ABC", fp16).turn, self.chip.timing("ACC", fp16).turn
        free, held = start, None
        for k, n in order:
            # The row that adds up a sum can be met again only after a while.
            late = passes[k - 1, n][-1] + again - (count - 1) * turn if k else 0
            at = self._use(task, k, n, max(free, late), held, 1 if (k, n) == order[0] else 4096)
            if at is None:
                self.board.undo(mark)
                return False
            # With one vector the tiles of n that follow take what this pass leaves.
            held = at[-1] if count == 1 and n + 1 < ns else None
            passes[k, n] = at
            free = at[-1] + turn
        if not self._sums(task, passes, row):
            self.board.undo(mark)
            return False
        task.start = start
        return True

    def _use(self, task: Product, k: int, n: int, free: int, held: int | None, tries: int) -> list[int] | None:
        """Takes one tile and its passes from cycle `free` on; the cycles of the passes.

        held : the last pass with the same activations, if they can be held
        """
        turn, stop = self.chip.timing("ABC", task.dtype is DType.FP16).turn, self.chip.planes[task.plane].stop
        if held is None and tries > 1:
            free = max(free, *(self.router.earliest(v, stop) - i * turn for i, v in enumerate(task.acts[k])))
        for at in range(free, free + tries):
            mark = self.board.mark()
            cycles = [at + i * turn for i in range(len(task.acts[k]))]
            if (
                self._passes(task, cycles)
                and self._stand(task, self._tiles[k][n], at)
                and self._activate(task, k, cycles, held)
            ):
                return cycles
            self.board.undo(mark)
        return None

    def _passes(self, task: Product, cycles: list[int]) -> bool:
        """Takes the array and its way out."""
        queue, timing = self.chip.queues[f"{task.plane}_A"].index, self.chip.timing("ABC", task.dtype is DType.FP16)
        return all(
            self.board.claim(MEETS + queue, cycle + timing.d_func)
            and all(self.board.claim(QUEUE + queue, cycle + j) for j in range(timing.turn))
            for cycle in cycles
        )

    def _stand(self, task: Product, words, first: int) -> bool:
        """Brings a tile into the array for passes from cycle `first` on.

        Its LWs follow each other without a gap up to the IW, so that no other use can come between them.
        """
        fp16, beats = task.dtype is DType.FP16, self.beats(task.dtype)
        install = first - self.chip.timing("IW").d_func
        begin = install - beats + 1
        queue, unit = self.chip.queues[f"{task.plane}_W"].index, self.chip.planes[task.plane]
        count, columns = self.chip.load_streams, self.chip.load_streams // task.dtype.streams
        if not all(self.board.claim(QUEUE + queue, begin + beat) for beat in range(beats)):
            return False
        codes = self._load_codes(unit)
        chosen = next((code for code in codes if self._load(words, range(beats), begin, unit, code)), None)
        for beat in range(beats):
            code = chosen
            if code is None:
                code = next((code for code in codes if self._load(words, [beat], begin, unit, code)), None)
            if code is None:
                return False
            values = {"dtype": int(fp16), "stream": code, "n": count.bit_length() - 1, "col": beat * columns, "stride": 0}
            self.board.issue(queue, begin + beat, "LW", values)
        self.board.issue(queue, install, "IW", {})
        return True

    def _load_codes(self, unit) -> list[int]:
        """First streams of the groups that bring weights to a plane; those of a neighbour come last."""
        count, streams = self.chip.load_streams, self.chip.config.streams
        base = streams if unit.hemisphere == 0 else 0
        codes = list(range(base, base + streams, count))
        return codes[::-1] if unit.number % 2 else codes

    def beats(self, dtype: DType) -> int:
        """LW words that a tile takes."""
        return self.chip.config.vl * dtype.streams // self.chip.load_streams

    def _words(self, task: Product, tile: Tile):
        """Where the columns of a tile lie: for every beat and stream the slice, word, first cycle and vector."""
        if tile.constant:
            return self._constant(task, tile)
        columns = self.chip.load_streams // task.dtype.streams
        beats = []
        for first in range(0, len(tile.columns), columns):
            beat = []
            for vector in tile.columns[first : first + columns]:
                copy = self._striped(vector, len(beat), task)
                beat.extend((s, w, copy.ready, vector, copy) for s, w in zip(copy.slices, copy.words, strict=True))
            beats.append(beat)
        return beats

    def _striped(self, vector: Vector, at: int, task: Product):
        """The copy of a column that comes on streams `at` on without meeting its neighbours."""
        wanted = tuple(self.chip.weight_slices(task.plane)[at : at + vector.bytes])
        for copy in vector.copies:
            if copy.slices == wanted or vector.home is not None:
                return copy
        if vector.data is not None:
            copy = self.memory.place_constant(vector, wanted, self.board)
            if copy is None:
                raise MemoryFull("A column of weights finds no room in the slices next to its plane.")
            return copy
        return self.router.recopy(vector, wanted)

    def _constant(self, task: Product, tile: Tile):
        slices = self.chip.weight_slices(task.plane)
        key = (slices[0], id(tile))
        if key not in self._placed:
            self._placed[key] = self.memory.place_tile([column.data for column in tile.columns], slices)
        first = self._placed[key]
        places = list(zip(slices, first, strict=True))
        return [[(s, word + beat, 0, None, None) for s, word in places] for beat in range(self.beats(task.dtype))]

    def _load(self, words, beats, begin: int, unit, code: int) -> bool:
        """Brings beats of columns to a plane on the streams from `code` on, beat 0 in cycle `begin`."""
        west, board, router = unit.hemisphere == 0, self.board, self.router
        lead, mark = self.chip.read_lead, board.mark()
        for beat in beats:
            for j, (s, word, ready, vector, copy) in enumerate(words[beat]):
                at = self.chip.slice_stop[s]
                issue = begin + beat - abs(at - unit.stop) - lead
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

    def _activate(self, task: Product, k: int, cycles: list[int], held: int | None) -> bool:
        """Starts the passes, with activations that the plane holds if nobody else brought others since."""
        unit, fp16 = self.chip.planes[task.plane], task.dtype is DType.FP16
        queue = self.chip.queues[f"{task.plane}_A"].index
        mark = self.board.mark()
        if held is not None:
            (cycle,) = cycles
            if all(self.board.claim(HOLDS + queue, between) for between in range(held + 1, cycle + 1)):
                self.board.issue(queue, cycle, "ABC_HOLD", {"dtype": int(fp16)})
                return True
            self.board.undo(mark)
        if not all(self.board.claim(HOLDS + queue, cycle) for cycle in cycles):
            return False
        base, size = (self.chip.config.streams if unit.hemisphere == 0 else 0), task.dtype.streams
        # From the last stream down, since weights come on the first ones.
        codes = range(base + self.chip.config.streams - size, base - 1, -size)
        found = self.router.bring(task.acts[k], cycles, unit.stop, [*self._flying(task.acts[k]), *codes])
        if found is None:
            return False
        for cycle, code in zip(cycles, found, strict=True):
            self.board.issue(queue, cycle, "ABC", {"dtype": int(fp16), "stream": code})
        return True

    def _flying(self, vectors: list[Vector]) -> list[int]:
        flight = vectors[0].flight
        return [flight.code] if flight is not None and flight.code % vectors[0].bytes == 0 else []

    # Sums ------------------------------------------------------------------------------------------------------

    def _some_rows(self, plane: str, count: int) -> int:
        """The first of some accumulator rows, each time others."""
        first = self._next_row[plane]
        if first + count > self.chip.config.mxm.acc_rows:
            first = 0
        self._next_row[plane] = first + count
        return first

    def _sums(self, task: Product, passes: dict, first: int) -> bool:
        """Meets every pass with its ACC word; the last ones send the sums off."""
        fp16, unit = task.dtype is DType.FP16, self.chip.planes[task.plane]
        queue = self.chip.queues[f"{task.plane}_R"].index
        late, timing = self.chip.timing("ABC", fp16).d_func, self.chip.timing("ACC", fp16)
        base = 0 if unit.hemisphere == 0 else self.chip.config.streams
        last = len(task.tiles) - 1
        uses: dict[int, list[int]] = {}
        for (k, n), cycles in passes.items():
            meets = [cycle + late for cycle in cycles]
            row = first + n * len(cycles)
            mode = "PASS" if last == 0 else "SET" if k == 0 else "ADD" if k < last else "ADD_OUT"
            dst = 0
            if last:
                for i, meet in enumerate(meets):
                    uses.setdefault(row + i, []).append(meet)
            if k == last:
                stands = [meet + timing.d_func for meet in meets]
                # From the last streams down, since weights of the other side may come on the first ones.
                codes = range(base + self.chip.config.streams - 4, base - 1, -4)
                dst = self.router.land(task.outs[n], codes, unit.stop, stands, 4, self._avoid(task.outs[n]))
                if dst is None:
                    return False
            for i, meet in enumerate(meets):
                values = {"dtype": int(fp16), "mode": ACC_MODES.index(mode), "dst": dst, "stride": 0}
                self.board.issue(queue, meet, "ACC", values | {"row": row + i if last else 0})
        for row, cycles in uses.items():
            spans = self._rows.setdefault((task.plane, row), [])
            span = (min(cycles), max(cycles))
            if any(span[0] < b + timing.turn and a < span[1] + timing.turn for a, b in spans):
                return False
            spans.append(span)
            self.board.on_undo(lambda spans=spans, span=span: spans.remove(span))
        return True

    def _avoid(self, vectors: list[Vector]) -> set[int]:
        return {
            s
            for reader in vectors[0].readers
            for other in reader.needs[:64]
            if other.flight is not None or other.home is not None
            for copy in other.copies[:1]
            for s in copy.slices
        }

