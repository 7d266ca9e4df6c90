"""Random work for MXM planes: load, install, passes and what becomes of them, one session after the other."""

from dataclasses import dataclass, field

from sw.isa.codec import make
from sw.isa.fields import MXM_TYPES
from tests.programs.schedule import Busy, Schedule
from tests.programs.units import feed_group, group

PASS, SET, ADD, ADD_OUT, READ = range(5)


@dataclass
class Plane:
    """What is left of earlier sessions on one plane."""

    name: str
    #: First cycles in which a weight word, and the next pass, may issue.
    load_from: int = 0
    pass_from: int = 0
    kind: int | None = None
    held: tuple[int, int] | None = None
    #: Row -> (type, superlanes, cycle of the last word on it).
    rows: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    arrivals: set[int] = field(default_factory=set)
    #: ACC words are made in order of time, from this cycle on.
    acc_from: int = 0


def session(s: Schedule, plane: Plane, start: int, passes: int) -> None:
    """Loads weights, installs them and runs up to `passes` passes; Busy if not even the weights fit."""
    c, rng = s.config, s.rng
    kind = rng.choice([MXM_TYPES.index(name) for name in c.mxm.types])
    with s.attempt():
        at = _load(s, plane, max(start, plane.load_from), kind)
        force = _install(s, plane, at, kind)
    plane.kind = kind
    t = max(plane.pass_from, force)
    for _ in range(passes):
        try:
            with s.attempt():
                t = _pass(s, plane, t + rng.choice((0, 0, 0, 1, 3)), kind)
        except Busy:
            t += 1
    plane.pass_from = t
    for _ in range(rng.randrange(3)):
        try:
            with s.attempt():
                _read(s, plane, t + rng.randint(0, 12))
        except Busy:
            pass


def _load(s: Schedule, plane: Plane, t: int, kind: int) -> int:
    """LWs of all columns, or of a few where the buffer is already full of this type; gives the next free
    cycle."""
    c, rng, queue = s.config, s.rng, f"{plane.name}_W"
    most = min(16, c.vl, c.streams, c.lanes << kind)
    sizes = [n for n in range(5) if 1 << n <= most and (1 << n) >> kind and (1 << n) * 8 >= most]
    n = rng.choice(sizes)
    columns = (1 << n) >> kind
    starts = list(range(0, c.vl, columns))
    if plane.kind == kind and rng.random() < 0.5:
        starts = [rng.choice(starts)]
    while starts:
        burst = len(starts) if rng.random() < 0.3 else min(len(starts), rng.randint(1, 2))
        for _ in range(30):
            try:
                with s.attempt():
                    _one_load(s, queue, t, n, kind, starts[0], burst, columns)
                break
            except Busy:
                t, burst = t + 1, max(1, burst - 1)
        else:
            raise Busy
        t += burst
        del starts[:burst]
    return t


def _one_load(s: Schedule, queue: str, t: int, n: int, kind: int, col: int, burst: int, columns: int) -> None:
    first = group(s, 1 << n)
    feed_group(s, queue, first, 1 << n, t, burst)
    fields = {"dtype": kind, "stream": first, "n": n, "col": col}
    s.issue(queue, t, "LW", burst, 1, stride=columns if columns < 32 else 0, **fields)


def _install(s: Schedule, plane: Plane, t: int, kind: int) -> int:
    """IW, in the word of the last LW where that is a single one; gives the cycle from which it is in
    force."""
    force = make("IW").timing(s.config).d_func
    for at in (t - 1, t, t + 1, t + 2, t + 3):
        if at + force < plane.pass_from:
            continue
        try:
            with s.attempt():
                s.issue(f"{plane.name}_W", at, "IW")
            plane.load_from = at + 1
            return at + force
        except Busy:
            continue
    raise Busy


def _pass(s: Schedule, plane: Plane, t: int, kind: int) -> int:
    c, rng, queue = s.config, s.rng, f"{plane.name}_A"
    mask = s.mask(queue, t)
    hold = plane.held and plane.held[0] == kind and mask & ~plane.held[1] == 0 and rng.random() < 0.3
    if hold:
        s.issue(queue, t, "ABC_HOLD", dtype=kind)
    else:
        first = group(s, 1 + kind)
        feed_group(s, queue, first, 1 + kind, t)
        s.issue(queue, t, "ABC", dtype=kind, stream=first)
    timing = make("ABC", dtype=kind).timing(c)
    arrival = t + timing.d_func
    if arrival in plane.arrivals:
        raise Busy
    _acc(s, plane, arrival, kind)
    plane.arrivals.add(arrival)
    if not hold:
        plane.held = kind, mask
    return t + timing.turn


def _acc(s: Schedule, plane: Plane, t: int, kind: int) -> None:
    mode, row = s.rng.randrange(4), s.rng.randrange(s.config.mxm.acc_rows)
    if plane.rows and s.rng.random() < 0.7:
        row = s.rng.choice(list(plane.rows))
    _acc_word(s, plane, t, kind, mode, row)


def _read(s: Schedule, plane: Plane, t: int) -> None:
    """ACC READ in a cycle in which no pass arrives."""
    if t in plane.arrivals or not plane.rows:
        raise Busy
    row = s.rng.choice(list(plane.rows))
    _acc_word(s, plane, t, plane.rows[row][0], READ, row)


def _acc_word(s: Schedule, plane: Plane, t: int, kind: int, mode: int, row: int) -> None:
    queue = f"{plane.name}_R"
    if t < plane.acc_from:
        raise Busy
    mask, timing = s.mask(queue, t), make("ACC", dtype=kind).timing(s.config)
    old = plane.rows.get(row)
    if (
        mode != PASS
        and old
        and abs(t - old[2]) < max(timing.turn, make("ACC", dtype=1).timing(s.config).turn)
    ):
        mode = PASS if mode != READ else mode
        if mode == READ:
            raise Busy
    if mode in (ADD, ADD_OUT, READ) and (not old or old[0] != kind or mask & ~old[1] or t < old[2]):
        if mode == READ:
            raise Busy
        mode = PASS if old else SET
    s.issue(queue, t, "ACC", dtype=kind, mode=mode, row=row, dst=group(s, 4))
    plane.acc_from = t + 1
    if mode == SET:
        plane.rows[row] = kind, mask, t
    elif mode != PASS:
        plane.rows[row] = *old[:2], t
