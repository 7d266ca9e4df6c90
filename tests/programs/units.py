"""Random transactions of memory, vector unit and switch unit; each raises Busy where it does not fit."""

from sw.arch.dtype import DType
from sw.isa.codec import make
from sw.isa.fields import SOURCES
from sw.isa.rows.vxm import ALU_TYPES, VXM, alu_class, reachable_groups
from tests.programs.schedule import OFFSETS, ONES, REGION, ZERO, Busy, Schedule

STREAM, PREV, NEXT, IMM = range(len(SOURCES))


def repeats(s: Schedule) -> tuple[int, int]:
    """Copies and gap of a burst; mostly one copy."""
    return (1, 1) if s.rng.random() < 0.6 else (s.rng.randint(2, 4), s.rng.randint(1, 3))


def group(s: Schedule, count: int) -> int:
    """Code of the first stream of an aligned group, in either direction."""
    step = 1 << (count - 1).bit_length()
    starts = range(0, s.config.streams - count + 1, step)
    return s.rng.choice(starts) + s.config.streams * s.rng.randrange(2)


def feed_group(s: Schedule, queue: str, first: int, n: int, cycle: int, count: int = 1, gap: int = 1) -> None:
    """Values on a group of streams at a queue's stop."""
    for code in range(first, first + n):
        s.feed(s.queues[queue].unit.stop, code, cycle, s.mask(queue, cycle), count, gap)


def write(s: Schedule, t: int) -> None:
    """WRITE of something that passes by; sometimes with a READ in the same word."""
    name, (count, gap) = s.rng.choice(s.slices), repeats(s)
    if s.driven and s.rng.random() < 0.7:
        stop, code, cycle = s.rng.choice(list(s.driven)[-200:])
        unit = s.plan.unit(name)
        hops = s.flow(unit.stop, code) - s.flow(stop, code)
        if hops < 1:
            raise Busy
        t, count = cycle + hops - 1, 1
    else:
        code = group(s, 1)
    stride = s.rng.randint(-2, 3)
    addr = s.rng.choice(s.free_words())
    if addr + stride * (count - 1) not in s.free_words():
        raise Busy
    feed_group(s, name, code, 1, t, count, gap)
    s.issue(name, t, "WRITE", count, gap, addr=addr, stream=code, stride=stride)
    if s.rng.random() < 0.4:
        try:
            with s.attempt():
                addr, stride = s.words_at(name, t, count)
                s.issue(name, t, "READ", count, gap, addr=addr, stream=group(s, 1), stride=stride)
        except Busy:
            pass


def read(s: Schedule, t: int) -> None:
    """READ, whoever may take it."""
    name, (count, gap) = s.rng.choice(s.slices), repeats(s)
    addr, stride = s.words_at(name, t, count)
    s.issue(name, t, "READ", count, gap, addr=addr, stream=group(s, 1), stride=stride)


def mapped(s: Schedule, t: int) -> None:
    """GATHER or SCATTER with offsets from memory, or the one that skips."""
    name, code = s.rng.choice(s.slices), group(s, 2)
    stop, mask = s.plan.unit(name).stop, s.full
    low, high = s.rng.choice(((OFFSETS, ZERO), (OFFSETS, ZERO), (ONES, ONES), (ZERO, ZERO)))
    s.feed_word(stop, code, t, mask, low)
    s.feed_word(stop, code + 1, t, mask, high)
    if s.rng.random() < 0.5:
        zone = s.zone_words()
        starts = [a for a in zone if all(a + k in zone for k in range(REGION))]
        starts = [a for a in starts if a // s.config.bank_words == (a + REGION - 1) // s.config.bank_words]
        fields = {"addr": s.rng.choice(starts), "rows": REGION, "stream": group(s, 1), "map": code}
        s.issue(name, t, "GATHER", **fields)
    else:
        words, bank = s.free_words(), s.config.bank_words
        starts = [a for a in words if a + REGION - 1 in words and a // bank == (a + REGION - 1) // bank]
        data = group(s, 1)
        if data in (code, code + 1):
            raise Busy
        feed_group(s, name, data, 1, t)
        s.issue(name, t, "SCATTER", addr=s.rng.choice(starts), rows=REGION, stream=data, map=code)


def alu(s: Schedule, t: int) -> None:
    """A vector operation; operands from streams, immediates and neighbours."""
    c, rng = s.config, s.rng
    number, chained = rng.randrange(c.alus), None
    instr = rng.choice(VXM)
    if instr.name == "SELECT" or (s.results and rng.random() < 0.4):
        if not s.results:
            raise Busy
        (giver, cycle), _ = rng.choice(list(s.results.items())[-50:])
        chained = rng.choice((PREV, NEXT))
        number = giver + 1 if chained == PREV else giver - 1
        if not 0 <= number < c.alus:
            raise Busy
        t = cycle - make("MOV").timing(c).chain_skew
    dtype = rng.choice(ALU_TYPES[instr.name])
    kind = alu_class(instr.name, dtype)
    if kind != "simple" and number not in getattr(c.vxm, f"{kind}_alus"):
        raise Busy
    count, gap = (1, 1) if chained is not None else repeats(s)
    fields = {"dtype": int(dtype), "imm": rng.getrandbits(32)}
    if "overflow" in instr.fields:
        fields["overflow"] = rng.randrange(2)
    result = rng.choice(tuple(DType)) if instr.name == "CONVERT" else dtype
    if instr.name == "CONVERT":
        fields["to"] = int(result)
    free = [source for source in ("a_from", "b_from") if source in instr.fields]
    if instr.name == "SELECT":
        fields["m_from"] = chained - PREV
    elif chained is not None:
        fields[free.pop(rng.randrange(len(free)))] = chained
    if len(free) and rng.random() < 0.25:
        fields[free.pop(rng.randrange(len(free)))] = IMM
    queue = f"VXM{number}"
    reach = reachable_groups(c, number)

    def place(n: int) -> int:
        first = rng.choice(reach) * 4 + rng.randrange(0, 4, n)
        return first + c.streams * rng.randrange(2)

    for source in free:
        fields[source], fields[source[0]] = STREAM, place(dtype.streams)
        feed_group(s, queue, fields[source[0]], dtype.streams, t, count, gap)
    if rng.random() < 0.85:
        fields |= {"out": 1, "dst": place(result.streams)}
    s.issue(queue, t, instr.name, count, gap, **fields)


def _engine(s: Schedule, kind: str) -> str:
    names = [name for name, queue in s.queues.items() if queue.cls == f"SXM_{kind}"]
    if not names:
        raise Busy
    return s.rng.choice(names)


def _map(s: Schedule, queue: str, t: int, loader: str, n: int) -> None:
    """A map for this engine at `t` or before."""
    mask = s.mask(queue, t)
    loaded = [issue for q, issue, op, *_ in s.entries if q.name == queue and op.instr.name == loader]
    if s.rng.random() < 0.7 and any(issue < t and s.mask(queue, issue) & mask == mask for issue in loaded):
        return
    first, at = group(s, n), t - s.rng.randint(1, 3)
    feed_group(s, queue, first, n, at)
    if mask & ~s.mask(queue, at):
        raise Busy
    s.issue(queue, at, loader, src=first)


def shift(s: Schedule, t: int) -> None:
    """SHIFT of all modes, with its select map."""
    queue, (count, gap) = _engine(s, "SHIFT"), repeats(s)
    mode, src = s.rng.randrange(3), group(s, 1)
    if mode == 2:
        _map(s, queue, t, "SELECT_MAP", 1)
    feed_group(s, queue, src, 1, t, count, gap)
    n = s.rng.randint(0, s.config.lanes)
    s.issue(queue, t, "SHIFT", count, gap, mode=mode, n=n, src=src, dst=group(s, 1))


def permute(s: Schedule, t: int) -> None:
    """PERMUTE by some map."""
    queue, (count, gap), src = _engine(s, "PERMUTE"), repeats(s), group(s, 1)
    _map(s, queue, t, "MAP", 2)
    feed_group(s, queue, src, 1, t, count, gap)
    s.issue(queue, t, "PERMUTE", count, gap, src=src, dst=group(s, 1))


def distribute(s: Schedule, t: int) -> None:
    """DISTRIBUTE, whose map comes with the data."""
    queue, (count, gap) = _engine(s, "DISTRIBUTE"), repeats(s)
    src, chart = group(s, 1), group(s, 1)
    for code in (src, chart):
        feed_group(s, queue, code, 1, t, count, gap)
    s.issue(queue, t, "DISTRIBUTE", count, gap, src=src, map=chart, dst=group(s, 1))


def rotate(s: Schedule, t: int) -> None:
    """ROTATE of both sizes."""
    queue, n = _engine(s, "ROTATE"), s.rng.randrange(2)
    src = group(s, 3 + n)
    feed_group(s, queue, src, 3 + n, t)
    s.issue(queue, t, "ROTATE", n=n, src=src, dst=group(s, (3 + n) ** 2))


def transpose(s: Schedule, t: int) -> None:
    """TRANSPOSE."""
    queue, src = _engine(s, "TRANSPOSE"), group(s, s.config.lanes)
    feed_group(s, queue, src, s.config.lanes, t)
    s.issue(queue, t, "TRANSPOSE", src=src, dst=group(s, s.config.lanes))


def reduce(s: Schedule, t: int) -> None:
    """REDUCE of all functions and types."""
    queue, (count, gap), src = _engine(s, "REDUCE"), repeats(s), group(s, 4)
    feed_group(s, queue, src, 4, t, count, gap)
    fn, dtype = s.rng.randrange(3), s.rng.randrange(2)
    s.issue(queue, t, "REDUCE", count, gap, fn=fn, dtype=dtype, src=src, dst=group(s, 4))


TRANSACTIONS = {
    write: 6,
    read: 2,
    mapped: 2,
    alu: 10,
    shift: 3,
    permute: 3,
    distribute: 2,
    rotate: 2,
    transpose: 2,
    reduce: 2,
}
