"""Random valid programs, built greedily by reservation."""

import random

import numpy as np

from sw.arch.config import Config
from sw.asm.program import Program
from sw.isa.codec import make
from sw.isa.fields import SOURCES
from sw.isa.rows.icu import fetch_beats, fetch_words
from tests.programs.planes import Plane, session
from tests.programs.schedule import OFFSETS, ONES, REGION, TEXT_ROWS, ZERO, Busy, Schedule
from tests.programs.units import TRANSACTIONS, group


def random_program(c: Config, seed: int, size: int) -> Program:
    """A program that the checker accepts, of about `size` transactions; the same one for the same arguments.

    Offsets of GATHER and SCATTER lie in their regions, so it runs without a fault on random memory contents.
    """
    rng = random.Random(seed)
    s = Schedule(c, rng)
    program = Program(c)
    _contents(s, program, seed)
    horizon = 40 + 2 * size
    _masks(s, horizon)
    _synchronise(s, horizon)
    texts = _fetch(s, horizon)
    planes = [Plane(unit.name) for unit in s.plan.units if unit.kind == "MXM"]
    # Every seed has its own favourites, so that rare instructions meet each other too.
    kinds, weights = list(TRANSACTIONS), [w * rng.choice((1, 1, 2, 6)) for w in TRANSACTIONS.values()]
    matrix = rng.choice((0.02, 0.06, 0.2))
    for _ in range(size):
        t = rng.randrange(4, horizon)
        try:
            if planes and rng.random() < matrix:
                session(s, rng.choice(planes), t // 2, rng.randint(1, 12))
            else:
                with s.attempt():
                    rng.choices(kinds, weights)[0](s, t)
        except Busy:
            continue
    s.build(program)
    for queue, rows in texts:
        program.text(queue, _boot_words(program, queue), rows)
    return program


def _contents(s: Schedule, program: Program, seed: int) -> None:
    c, random_bytes = s.config, np.random.default_rng(seed)
    for name in s.slices:
        for addr in (ZERO, OFFSETS, ONES, *s.zone_words()):
            row = random_bytes.integers(0, 256, c.vl, dtype=np.uint8)
            if addr in (ZERO, ONES):
                row[:] = 0 if addr == ZERO else 255
            elif addr == OFFSETS:
                row[:: c.lanes] %= REGION
            program.data(name, addr, row)
    program.output("first_word", s.slices[0], s.zone_words()[0])


def _masks(s: Schedule, horizon: int) -> None:
    """CONFIG in a few queues, at one time each."""
    for name in s.rng.sample(list(s.queues), k=max(1, len(s.queues) // 8)):
        if s.queues[name].cls == "MXM_W":
            continue
        t, mask = s.rng.randrange(horizon), s.rng.randrange(1 << s.config.superlanes)
        s.issue(name, t, "CONFIG", mask=mask)
        s.masks[name] = [(0, s.full), (t + 1, mask)]


def _synchronise(s: Schedule, horizon: int) -> None:
    """A NOTIFY, and queues that wait for it."""
    caller, *waiting = s.rng.sample(list(s.queues), k=4)
    t = s.rng.randrange(horizon)
    try:
        with s.attempt():
            s.issue(caller, t, "NOTIFY")
            landing = t + make("NOTIFY").timing(s.config).d_func
            for name in waiting:
                start = landing - s.rng.randint(1, 6)
                s.issue(name, start, "SYNC")
                for parked in range(start + 1, landing):
                    if (name, parked) in s.busy:
                        raise Busy
                    s.put(s.busy, (name, parked), ((start, 1, 1), ("icu",)))
    except Busy:
        pass


def _fetch(s: Schedule, horizon: int) -> list:
    """Lets one queue fetch its last words: an instruction, its REPEAT and HALT."""
    c, beats = s.config, fetch_beats(s.config)
    timing = make("IFETCH").timing(c)
    fetches = -(-3 // fetch_words(c))
    for _ in range(20):
        name = s.rng.choice(list(s.queues))
        stop, first = s.queues[name].unit.stop, group(s, 2)
        start = s.rng.randrange(horizon // 2, horizon)
        rows = []
        try:
            with s.attempt():
                for k in range(fetches):
                    t = start + k * timing.turn
                    for beat in range(beats):
                        pair = [
                            _text_row(s, stop, first + half, t + beat, k * beats + beat) for half in range(2)
                        ]
                        rows.append(tuple(pair))
                    s.issue(name, t, "IFETCH", stream=first)
                last = start + (fetches - 1) * timing.turn + timing.d_func
                if any(
                    at > start and q.name == name for (q, at, *_) in s.entries[: -2 * len(rows) - fetches]
                ):
                    raise Busy
                if s.mask(name, start) != s.full:
                    raise Busy
                last += s.rng.randrange(4)
                _fetched(s, name, last)
                # Whatever came after it would have to be fetched too.
                s.put(s.closed, name, last + 1)
            return [(name, rows)]
        except Busy:
            continue
    return []


def _fetched(s: Schedule, name: str, t: int) -> None:
    """What a queue does with a word that it fetched, three times."""
    cls = s.queues[name].cls
    if cls == "MEM":
        s.issue(name, t, "READ", 3, 2, addr=s.zone_words()[0], stride=1, stream=group(s, 1))
    elif cls == "VXM":
        s.issue(name, t, "MOV", 3, 2, dtype=2, a_from=SOURCES.index("IMM"), imm=s.rng.getrandbits(32))
    else:
        s.issue(name, t, "CONFIG", 3, 2, mask=s.full)


def _text_row(s: Schedule, stop: int, code: int, cycle: int, number: int) -> tuple[str, int]:
    """A READ of a row of text that reaches the stop unharmed."""
    units = [s.plan.unit(name) for name in s.slices]
    s.rng.shuffle(units)
    addr = s.config.mem.words - 1 - number % TEXT_ROWS
    for unit in units:
        start = cycle - 1 - abs(unit.stop - stop)
        if s.flow(unit.stop, code) >= s.flow(stop, code) or (unit.name, addr) in s.known:
            continue
        if s.mask(unit.name, max(start, 0)) != s.full:
            continue
        try:
            with s.attempt():
                s.put(s.known, (unit.name, addr), -1)
                s.guard(stop, code, cycle, unit.stop)
                s.issue(unit.name, start, "READ", addr=addr, stream=code)
            return unit.name, addr
        except Busy:
            continue
    raise Busy


def _boot_words(program: Program, queue: str) -> int:
    """Words up to the last instruction, its REPEAT and HALT."""
    return len(program.lowered()[queue]) - 3
