"""The template of a chain: one ALU for each stage, neighbours in a row, one item after the other."""

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.route import Router
from sw.compiler.tasks import Chain, Product, Stage
from sw.compiler.vectors import Vector
from sw.compiler.ways import QUEUE, RESULT
from sw.isa.rows.vxm import IMM, NEXT, PREV, STREAM, WITH_OVERFLOW

_CHAIN = ("PREV", "NEXT")
#: ALUs for which the ports of operands may be in each other's way before a cycle is given up; others reach other streams
#: only, so that it helps but rarely.
MISSES = 2


def runs(chip: Chip, stages: list[Stage]) -> list[tuple[int, int]]:
    """Where a chain can begin: ALU of its first stage and direction (+1 or -1), those first that waste the fewest
    ALUs which can do more."""
    found = []
    for step in (1, -1) if len(stages) > 1 else (1,):
        for first in range(chip.config.alus):
            alus = [first + step * k for k in range(len(stages))]
            if 0 <= alus[-1] < chip.config.alus and all(
                alu in chip.able(stage.fn, stage.dtype) for alu, stage in zip(alus, stages, strict=True)
            ):
                waste = sum(alu in chip.able("EXP2", DType.FP32) for alu in alus)
                found.append((waste, first, step))
    return [(first, step) for _, first, step in sorted(found)]


class Chains:
    """Places chains on the vector unit."""

    def __init__(self, chip: Chip, router: Router):
        self.chip, self.router, self.board = chip, router, router.board
        self._runs: dict[tuple, list[tuple[int, int]]] = {}
        self._turn = 0

    def offsets(self, stages: list[Stage]) -> list[int]:
        """Issue cycle of every stage, the first at 0."""
        at, offsets = 0, []
        for stage in stages:
            timing = self.chip.timing(stage.fn, stage.dtype)
            offsets.append(at)
            at += timing.d_chain - timing.chain_skew
        return offsets

    def earliest(self, task: Chain, gap: int) -> int:
        """The first cycle in which the operands of item 0 may allow the chain to issue."""
        offsets, best = self.offsets(task.stages), 0
        for stage, offset in zip(task.stages, offsets, strict=True):
            for operand in stage.operands:
                if operand.kind == "ARG":
                    for k, vector in enumerate(task.args[operand.value]):
                        if vector.data is None:
                            best = max(best, self.router.earliest(vector, self.chip.vxm) - offset - k * gap)
        return best

    def place(self, task: Chain, start: int, gap: int, west: bool) -> bool:
        """Schedules a chain with its first issue in cycle `start`, items `gap` cycles apart. Results leave on the
        west or the east side if they can, otherwise on the other."""
        key = tuple((stage.fn, stage.dtype) for stage in task.stages)
        if key not in self._runs:
            self._runs[key] = runs(self.chip, task.stages)
        offsets = [start + offset for offset in self.offsets(task.stages)]
        count = len(task.outs[max(task.outs)])
        mark, missing = self.board.mark(), 0
        for first, step in self._runs[key]:
            if self._alus(task, offsets, count, gap, first, step):
                placed = self._streams(task, offsets, count, gap, first, step, west)
                if placed:
                    task.start = offsets[0]
                    return True
                missing += placed is None
            self.board.undo(mark)
            if missing == MISSES:
                return False
        return False

    def free_from(self, task: Chain, start: int, gap: int, limit: int) -> int:
        """The first cycle, from `start` on, in which a chain may issue as far as the ports of its operands tell; `limit`
        cycles after `start` if that is later."""
        count = len(task.outs[max(task.outs)])
        wanted = [
            (task.args[operand.value][item], start + offset + item * gap)
            for stage, offset in zip(task.stages, self.offsets(task.stages), strict=True)
            for operand in stage.operands
            if operand.kind == "ARG"
            for item in range(count)
        ]
        return start + self.router.delay(wanted, self.chip.vxm, limit)

    def _alus(self, task: Chain, offsets: list[int], count: int, gap: int, first: int, step: int) -> bool:
        """Takes issue slots and result registers."""
        claim = self.board.claim
        for k, stage in enumerate(task.stages):
            alu, ready = first + step * k, self.chip.timing(stage.fn, stage.dtype).d_chain
            for item in range(count):
                at = offsets[k] + item * gap
                if not (claim(QUEUE + self.chip.alu_queues[alu], at) and claim(RESULT + alu, at + ready)):
                    return False
        return True

    def _streams(self, task, offsets, count: int, gap: int, first: int, step: int, west: bool) -> bool | None:
        """Brings operands, sends results off, and issues the words. None if it cannot be because an operand's ports are
        taken, which is no matter of streams."""
        cycles = [[offset + item * gap for item in range(count)] for offset in offsets]
        words = [[self._fields(stage, step) for _ in range(count)] for stage in task.stages]
        wanted = dict.fromkeys(
            (k, operand.value) for k, stage in enumerate(task.stages) for operand in stage.operands if operand.kind == "ARG"
        )
        # Those with the fewest copies choose first, constants last.
        for k, number in sorted(wanted, key=lambda use: _freedom(task.args[use[1]])):
            vectors = task.args[number]
            choices = self._choices(first + step * k, vectors[0].bytes)
            codes = self.router.bring(vectors, cycles[k], self.chip.vxm, choices)
            if codes is None:
                come = all(self.router.available(v, at, self.chip.vxm) for v, at in zip(vectors, cycles[k], strict=True))
                return False if come else None
            for letter, operand in zip("ab", task.stages[k].operands, strict=False):
                if operand.kind == "ARG" and operand.value == number:
                    for word, code in zip(words[k], codes, strict=True):
                        word[letter] = code
        # Only now, so that no result is written where an operand is being read.
        for k, stage in enumerate(task.stages):
            alu = first + step * k
            sent = {} if k not in task.outs else self._send(task.outs[k], stage, alu, cycles[k], west)
            if sent is None:
                return False
            for cycle, word in zip(cycles[k], words[k], strict=True):
                self.board.issue(self.chip.alu_queues[alu], cycle, stage.fn, word | sent)
        return True

    def _send(self, vectors: list[Vector], stage: Stage, alu: int, cycles: list[int], west: bool) -> dict[str, int] | None:
        """Sends results off; the fields that say so, or None if no stream is free."""
        made = stage.to if stage.fn == "CONVERT" else stage.dtype
        ready = self.chip.timing(stage.fn, stage.dtype).d_func
        stands = [cycle + ready for cycle in cycles]
        avoid = {
            s
            for reader in vectors[0].readers
            if isinstance(reader, Chain)
            for arg in reader.args
            for copy in arg[0].copies
            for s in copy.slices
        }
        products = [reader for reader in vectors[0].readers if isinstance(reader, Product)]
        if products:
            west = self.chip.planes[products[0].plane].hemisphere == 0
        for product in products:
            avoid |= self._beside(product, vectors[0])
        choices = sorted(self._choices(alu, made.streams), key=lambda code: (code >= self.chip.config.streams) != west)
        code = self.router.land(vectors, choices, self.chip.vxm, stands, made.streams, avoid)
        return None if code is None else {"out": 1, "dst": code}

    def _beside(self, product: Product, vector: Vector) -> set[int]:
        """Slices of the activations that other planes may read while one reads a vector and the rows after it: those of
        the next tiles of k."""
        at = next((k for k, group in enumerate(product.acts) if any(v.whole is vector for v in group)), None)
        if at is None or len(product.acts[0]) == 1:
            return set()
        return {
            s
            for k, group in enumerate(product.acts)
            if 0 < abs(k - at) < len(self.chip.planes)
            for copy in group[0].copies
            for s in copy.slices
        }

    def _choices(self, alu: int, size: int) -> list[int]:
        """Codes of the aligned streams that an ALU reaches, both ways, each time beginning with another one."""
        codes = [
            side * self.chip.config.streams + 4 * group + at
            for group in self.chip.reach[alu]
            for at in range(0, 4, size)
            for side in (0, 1)
        ]
        self._turn += 1
        turn = self._turn % len(codes)
        return codes[turn:] + codes[:turn]

    def _fields(self, stage: Stage, step: int) -> dict[str, int]:
        """Field values of a stage's words, streams still open."""
        before = PREV if step > 0 else NEXT
        values = {"dtype": int(stage.dtype), "imm": 0, "out": 0, "dst": 0}
        if stage.fn == "CONVERT":
            values["to"] = int(stage.to)
        if stage.fn in WITH_OVERFLOW:
            values["overflow"] = ("sat", "mod").index(stage.overflow)
        if stage.fn == "SELECT":
            values["m_from"] = _CHAIN.index("PREV" if step > 0 else "NEXT")
        for letter, operand in zip("ab", stage.operands, strict=False):
            values[f"{letter}_from"] = {"ARG": STREAM, "PREV": before, "IMM": IMM}[operand.kind]
            values[letter] = 0
            if operand.kind == "IMM":
                values["imm"] = operand.value
        return values


def _freedom(vectors: list[Vector]) -> int:
    """How many ways there are to bring vectors, at the least."""
    return min(1 << 10 if vector.data is not None else len(vector.copies) for vector in vectors)
