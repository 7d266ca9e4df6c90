"""MEM slices: one access of a class a cycle, one access of a bank a cycle, nothing read that nobody wrote,
text kept.

A GATHER counts as a read of its whole region; a SCATTER may write any word of its region and is sure to write
none.
"""

import numpy as np

from sw.arch.floorplan import floorplan
from sw.asm.image import Image
from sw.check.cover import clashes, mask_text, superlane_groups
from sw.check.finding import Findings
from sw.check.issues import Issues

_NEVER = np.iinfo(np.int64).max


class Accesses:
    """The accesses of one class: `row`, access `cycle`, `slice` in host order, first word and `words` (all
    arrays)."""

    def __init__(self, issues: Issues, names: tuple[str, str]):
        numbers = {unit.name: k for k, unit in enumerate(floorplan(issues.config).slices)}
        slices = np.array([numbers.get(queue.unit.name, -1) for queue in issues.queues])
        self.row = issues.select(*names)
        self.cycle = issues.issue[self.row] + issues.time("access", self.row)
        self.slice = slices[issues.queue[self.row]]
        self.addr = issues.field("addr", self.row)
        rows = issues.field("rows", self.row)
        self.plain = rows < 0
        self.words = np.where(self.plain, 1, rows)
        self.mask = issues.mask[self.row]

    @property
    def moment(self) -> np.ndarray:
        """A number for slice and cycle."""
        return self.cycle * (int(self.slice.max(initial=0)) + 1) + self.slice


def check_mem(image: Image, issues: Issues, findings: Findings) -> None:
    """Rules `mem-port`, `mem-bank`, `mem-uninitialised`, `mem-text` and `mem-output`."""
    reads, writes = Accesses(issues, ("READ", "GATHER")), Accesses(issues, ("WRITE", "SCATTER"))
    for accesses, kind in ((reads, "read"), (writes, "write")):
        _ports(issues, accesses, kind, findings)
    _banks(issues, reads, writes, findings)
    _text(image, issues, writes, findings)
    _initialised(image, issues, reads, writes, findings)


def _ports(issues: Issues, accesses: Accesses, kind: str, findings: Findings) -> None:
    first, second = clashes(accesses.moment)

    def sentence(i: int) -> str:
        other = issues.text(int(accesses.row[first[i]]))
        return f"and {other} both {kind} in cycle {accesses.cycle[second[i]]}, a slice does one a cycle"

    findings.add("mem-port", accesses.row[second], sentence, accesses.row[first])


def _banks(issues: Issues, reads: Accesses, writes: Accesses, findings: Findings) -> None:
    slices = len(floorplan(issues.config).slices)

    def place(accesses: Accesses) -> np.ndarray:
        return (accesses.cycle * slices + accesses.slice) * 2 + accesses.addr // issues.config.bank_words

    _, r, w = np.intersect1d(place(reads), place(writes), return_indices=True)

    def sentence(i: int) -> str:
        other = issues.text(int(writes.row[w[i]]))
        bank = reads.addr[r[i]] // issues.config.bank_words
        return f"and {other} both access bank {bank} in cycle {reads.cycle[r[i]]}"

    findings.add("mem-bank", reads.row[r], sentence, writes.row[w])


def _text(image: Image, issues: Issues, writes: Accesses, findings: Findings) -> None:
    words = issues.config.mem.words
    slices = floorplan(issues.config).slices
    before = np.zeros(len(slices) * words + 1, np.int64)
    for segment in image.memory:
        if segment.text:
            start = segment.slice * words + segment.addr + 1
            before[start : start + len(segment.data)] = 1
    before = np.cumsum(before)
    start = writes.slice * words + writes.addr
    bad = np.flatnonzero(before[start + writes.words] > before[start])

    def sentence(i: int) -> str:
        low, high = writes.addr[bad[i]], writes.addr[bad[i]] + writes.words[bad[i]] - 1
        return f"may write program text, which lies among words {low} to {high}"

    findings.add("mem-text", writes.row[bad], sentence)
    for region in image.inputs:
        start = region.slice * words + region.addr
        if before[start + region.words] > before[start]:
            name = slices[region.slice].name
            findings.add_place("mem-text", name, f"The input '{region.name}' covers program text in {name}.")


def _initialised(image: Image, issues: Issues, reads: Accesses, writes: Accesses, findings: Findings) -> None:
    c, slices = issues.config, floorplan(issues.config).slices
    known = np.full(len(slices) * c.mem.words, _NEVER)
    given = [(s.slice, s.addr, len(s.data)) for s in image.memory]
    given += [(r.slice, r.addr, r.words) for r in image.inputs]
    for where, addr, count in given:
        known[where * c.mem.words + addr :][:count] = -1
    word = reads.slice * c.mem.words + reads.addr
    lost = np.zeros(len(reads.row), np.int64)
    missing = np.zeros(len(image.outputs), np.int64)
    for group in superlane_groups(np.concatenate((reads.mask, writes.mask)), c.superlanes):
        since = known.copy()
        sure = np.flatnonzero(writes.plain & (writes.mask & group != 0))
        np.minimum.at(since, writes.slice[sure] * c.mem.words + writes.addr[sure], writes.cycle[sure])
        late = _latest(since, word, reads.words) >= reads.cycle
        lost[late & (reads.mask & group != 0)] |= group
        for k, region in enumerate(image.outputs):
            if since[region.slice * c.mem.words + region.addr :][: region.words].max() == _NEVER:
                missing[k] |= group
    bad = np.flatnonzero(lost)

    def sentence(i: int) -> str:
        low, high = reads.addr[bad[i]], reads.addr[bad[i]] + reads.words[bad[i]] - 1
        what = f"word {low}" if reads.plain[bad[i]] else f"words {low} to {high}"
        where = mask_text(lost[bad[i]], issues.full)
        return f"reads {what} in cycle {reads.cycle[bad[i]]}, which nothing has initialised{where}"

    findings.add("mem-uninitialised", reads.row[bad], sentence)
    for region, mask in zip(image.outputs, missing.tolist(), strict=True):
        if mask:
            name, where = slices[region.slice].name, mask_text(mask, issues.full)
            text = f"The output '{region.name}' in {name} has words that nothing initialises{where}."
            findings.add_place("mem-output", name, text)


def _latest(since: np.ndarray, start: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Maximum of `since` over every region of `words` words from `start` on, by doubling windows."""
    result = np.empty(len(start), np.int64)
    level = np.frexp(words.astype(np.float64))[1] - 1
    window = since
    for power in range(int(level.max(initial=-1)) + 1):
        if power:
            step = 1 << (power - 1)
            window = np.maximum(window[:-step], window[step:])
        mine = np.flatnonzero(level == power)
        result[mine] = np.maximum(window[start[mine]], window[start[mine] + words[mine] - (1 << power)])
    return result
