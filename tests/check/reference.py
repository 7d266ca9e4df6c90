"""The rules again, as naively as possible: one cycle after the other, one superlane mask in every register.

It shares with the checker only the timeline and the table. It tells whether a program keeps the rules, and
exactly which instructions break those of streams; it names no partners.
"""

from collections import defaultdict

from sw.arch.floorplan import floorplan
from sw.asm.burst import advance
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.isa.rows.icu import fetch_beats
from sw.isa.rows.mxm import load_columns
from sw.isa.rows.vxm import alu_class, reachable_groups
from sw.isa.spec import Op


class Reference:
    """Runs an image; `broken` holds (rule, queue, issue cycle)."""

    def __init__(self, image: Image):
        self.image, self.c = image, image.config
        self.plan, self.full = floorplan(self.c), (1 << self.c.superlanes) - 1
        self.broken: set[tuple[str, str, int]] = set()
        self.ops = [
            (burst.start + k * burst.gap, burst.queue, Op(op.instr, advance(op, k)), burst.mask)
            for burst in timeline(image).bursts
            for k in range(burst.count)
            for op in burst.word
        ]
        self.ops.sort(key=lambda entry: entry[0])
        self._streams()
        self._memory()
        self._vector()
        for name in dict.fromkeys(q.unit.name for _, q, *_ in self.ops if q.unit.kind == "MXM"):
            self._plane(name)
        self._maps()
        self._ports()

    def _bad(self, rule: str, queue, cycle: int) -> None:
        self.broken.add((rule, queue.name, cycle))

    def _streams(self) -> None:
        reads, drives = defaultdict(list), defaultdict(list)
        for t, q, op, mask in self.ops:
            timing = op.timing(self.c)
            for first, n in op.reads(self.c):
                for code in range(first, first + n):
                    for beat in range(fetch_beats(self.c) if op.instr.name == "IFETCH" else 1):
                        reads[t + timing.d_skew + beat].append((code, q, t, mask))
            for first, n in op.drives(self.c):
                for code in range(first, first + n):
                    drives[t + timing.d_func].append((code, q, t, mask))
        stops, streams = len(self.plan.stops), self.c.streams
        registers = [[0] * (2 * streams) for _ in range(stops)]
        for cycle in range(max((*reads, *drives), default=-1) + 1):
            moved = [[0] * (2 * streams) for _ in range(stops)]
            for stop in range(stops):
                for code in range(2 * streams):
                    source = stop - 1 if code < streams else stop + 1
                    if 0 <= source < stops:
                        moved[stop][code] = registers[source][code]
            taken = {}
            for code, q, t, mask in drives[cycle]:
                target = q.unit.stop + (1 if code < streams else -1)
                if (target, code) in taken:
                    late = max((taken[target, code], (t, q)), key=lambda e: e[0])
                    self._bad("stream-conflict", late[1], late[0])
                taken[target, code] = t, q
                if 0 <= target < stops:
                    moved[target][code] |= mask
            registers = moved
            for code, q, t, mask in reads[cycle]:
                if mask & ~registers[q.unit.stop][code]:
                    self._bad("stream-unwritten", q, t)

    def _memory(self) -> None:
        words, bank = self.c.mem.words, self.c.bank_words
        for number, unit in enumerate(self.plan.slices):
            known, text = [0] * words, set()
            for segment in self.image.memory:
                if segment.slice == number:
                    for addr in range(segment.addr, segment.addr + len(segment.data)):
                        known[addr] = self.full
                        text |= {addr} if segment.text else set()
            for region in self.image.inputs:
                if region.slice == number:
                    known[region.addr : region.addr + region.words] = [self.full] * region.words
            cycles = defaultdict(list)
            for t, q, op, mask in self.ops:
                if q.unit == unit and op.instr.slot in ("read", "write"):
                    cycles[t + op.timing(self.c).access].append((t, q, op, mask))
            for cycle in sorted(cycles):
                kinds = [op.instr.slot for _, _, op, _ in cycles[cycle]]
                banks = [(op.instr.slot, op["addr"] // bank) for _, _, op, _ in cycles[cycle]]
                if len(set(kinds)) < len(kinds):
                    self._bad("mem-port", cycles[cycle][-1][1], cycles[cycle][-1][0])
                if any(("write" if slot == "read" else "read", b) in banks for slot, b in banks):
                    t, q, *_ = next(e for e in cycles[cycle] if e[2].instr.slot == "read")
                    self._bad("mem-bank", q, t)
                for t, q, op, mask in cycles[cycle]:
                    region = range(op["addr"], op["addr"] + op.values.get("rows", 1))
                    if op.instr.slot == "read" and any(mask & ~known[addr] for addr in region):
                        self._bad("mem-uninitialised", q, t)
                    if op.instr.slot == "write" and text & set(region):
                        self._bad("mem-text", q, t)
                for _, _, op, mask in cycles[cycle]:
                    if op.instr.name == "WRITE":
                        known[op["addr"]] |= mask
            for region in self.image.outputs:
                if region.slice == number:
                    for addr in range(region.addr, region.addr + region.words):
                        if known[addr] != self.full:
                            self.broken.add(("mem-output", unit.name, -1))

    def _vector(self) -> None:
        results, vxm = defaultdict(int), self.c.vxm
        ops = [(t, q, op, mask) for t, q, op, mask in self.ops if q.cls == "VXM" and op.instr.slot == "alu"]
        for t, q, op, mask in ops:
            key = q.number, t + op.timing(self.c).d_chain
            if key in results:
                self._bad("vxm-result", q, t)
            results[key] |= mask
        for t, q, op, mask in ops:
            kind = alu_class(op.instr.name, op["dtype"])
            if kind != "simple" and q.number not in (vxm.float_alus if kind == "float" else vxm.special_alus):
                self._bad("vxm-class", q, t)
            for first, _ in (*op.reads(self.c), *op.drives(self.c)):
                if first % self.c.streams // 4 not in reachable_groups(self.c, q.number):
                    self._bad("vxm-reach", q, t)
            steps = [{1: -1, 2: 1}.get(op.values.get(name)) for name in ("a_from", "b_from")]
            steps.append({0: -1, 1: 1}.get(op.values.get("m_from")))
            for step in steps:
                if step and mask & ~results.get((q.number + step, t + op.timing(self.c).chain_skew), 0):
                    self._bad("vxm-chain", q, t)

    def _plane(self, name: str) -> None:
        c, order = self.c, {"LW": 0, "IW": 1}
        mine = [entry for entry in self.ops if entry[1].unit.name == name]
        mine.sort(key=lambda e: (e[0], order.get(e[2].instr.name, 2)))
        superlanes = range(c.superlanes)
        buffer = [[None] * c.vl for _ in superlanes]
        installs, passes, held = [(-1, [row[:] for row in buffer])], [], None
        for t, q, op, mask in mine:
            timing = op.timing(c)
            if op.instr.name == "LW":
                for r in superlanes:
                    if mask >> r & 1:
                        for column in range(op["col"], op["col"] + load_columns(op.values)):
                            buffer[r][column] = op["dtype"]
            elif op.instr.name == "IW":
                if any(mask >> r & 1 and not any(k is not None for k in buffer[r]) for r in superlanes):
                    self._bad("mxm-install", q, t)
                old = installs[-1][1]
                new = [(buffer if mask >> r & 1 else old)[r][:] for r in superlanes]
                installs.append((t + timing.d_func, new))
            elif op.instr.name in ("ABC", "ABC_HOLD"):
                if passes and t < passes[-1][0] + passes[-1][2].timing(c).turn:
                    self._bad("mxm-overlap", q, t)
                if op.instr.name == "ABC":
                    held = op["dtype"], mask
                elif held is None or held[0] != op["dtype"] or mask & ~held[1]:
                    self._bad("mxm-hold", q, t)
                passes.append((t, q, op, mask))
        for t, q, op, mask in passes:
            weights = [w for force, w in installs if force <= t][-1]
            kinds = {kind for r in superlanes if mask >> r & 1 for kind in weights[r]}
            if None in kinds:
                self._bad("mxm-weights", q, t)
            elif kinds - {op["dtype"]}:
                self._bad("mxm-type", q, t)
            if any(t < force < t + op.timing(c).turn for force, _ in installs):
                self._bad("mxm-torn", q, t)
        self._accumulate(passes, [entry for entry in mine if entry[2].instr.name == "ACC"])

    def _accumulate(self, passes: list, words: list) -> None:
        arrivals = defaultdict(list)
        for t, q, op, _ in passes:
            arrivals[t + op.timing(self.c).d_func].append((t, q, op))
        for found in arrivals.values():
            if len(found) > 1:
                self._bad("mxm-meet", found[-1][1], found[-1][0])
        rows, last = {}, {}
        met = set()
        for t, q, op, mask in words:
            turn, mode, row = (
                op.timing(self.c).turn,
                ("PASS", "SET", "ADD", "ADD_OUT", "READ")[op["mode"]],
                op["row"],
            )
            if mode != "READ":
                met.add(t)
                if t not in arrivals:
                    self._bad("acc-pass", q, t)
                elif arrivals[t][0][2]["dtype"] != op["dtype"]:
                    self._bad("acc-type", q, t)
            if mode == "PASS":
                continue
            if row in last and t - last[row][0] < max(turn, last[row][1]):
                self._bad("acc-turn", q, t)
            last[row] = t, turn
            if mode == "SET":
                rows[row] = op["dtype"], mask | (rows[row][1] if row in rows else 0)
            elif row not in rows or mask & ~rows[row][1]:
                self._bad("acc-unset", q, t)
            elif rows[row][0] != op["dtype"]:
                self._bad("acc-type", q, t)
        for cycle in set(arrivals) - met:
            self._bad("acc-lost", arrivals[cycle][0][1], arrivals[cycle][0][0])

    def _maps(self) -> None:
        loaded = defaultdict(int)
        for t, q, op, mask in self.ops:
            if op.instr.name in ("MAP", "SELECT_MAP"):
                loaded[q.name] |= mask
            if op.instr.name == "PERMUTE" or (op.instr.name == "SHIFT" and op["mode"] == 2):
                if mask & ~loaded[q.name]:
                    self._bad("sxm-map", q, t)

    def _ports(self) -> None:
        last = {}
        for t, q, op, _ in self.ops:
            if op.instr.name == "IFETCH":
                if t < last.get(q.unit.stop, -1 << 30) + op.timing(self.c).turn:
                    self._bad("fetch-port", q, t)
                last[q.unit.stop] = t
