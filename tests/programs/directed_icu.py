"""Instruction control: longest waits and repeats, parking, and queues of every class that fetch their words."""

from collections.abc import Callable, Iterator

from sw.arch.config import Config
from sw.asm.program import Program
from sw.isa.codec import make
from sw.isa.fields import ICU_FIELDS, SOURCES
from sw.isa.rows.icu import fetch_beats, fetch_words
from tests.programs.stage import LEAD, Stage

IMM = SOURCES.index("IMM")


def experiments(c: Config) -> Iterator[Callable[[Stage], None]]:
    """Experiments for `tests.programs.stage.pack`."""
    yield from (_waits, _repeats, _park)


def _mark(stage: Stage, cycle: int, copies: int = 0, gap: int = 1, **fields) -> None:
    """A result whose cycle the trace shows."""
    fields = {"out": 1, "dst": 4, "imm": cycle & 0xFFFFFFFF} | fields
    stage.put("VXM0", cycle, "MOV", copies, gap, dtype=2, a_from=IMM, **fields)


def _waits(stage: Stage) -> None:
    """Words one cycle apart, two, and the longest NOP and one more apart."""
    longest = ICU_FIELDS["n"].limits(stage.config)[1]
    for cycle in (0, 1, 3, 3 + 1 + longest, 3 + 1 + longest + 1 + longest + 1):
        _mark(stage, stage.now + cycle)


def _repeats(stage: Stage) -> None:
    """One copy, the largest gap, and the most copies; the word behind each shows when they end."""
    limits = ICU_FIELDS["n"].limits(stage.config)[1], ICU_FIELDS["gap"].limits(stage.config)[1]
    t = stage.now
    for copies, gap, fields in ((1, 1, {}), (2, limits[1], {}), (limits[0], 1, {"out": 0})):
        _mark(stage, t, copies, gap, **fields)
        t += copies * gap + 1
        _mark(stage, t)
        t += 1


def _park(stage: Stage) -> None:
    """Every queue parks: some in the cycle before a NOTIFY lands, some in the very cycle, which is too late."""
    delay, t = make("NOTIFY").timing(stage.config).d_func, stage.now
    caller, *others = [queue.name for queue in stage.plan.queues]
    stage.put(caller, t, "NOTIFY", 1, 9)
    for k, name in enumerate(others):
        late = k % 3 == 2
        stage.put(name, t + delay - (0, 1, 0)[k % 3] - (k % 3 == 0) * 5, "SYNC")
        released = t + delay + 9 * late
        if name == "VXM0":
            _mark(stage, released)
        else:
            stage.put(name, released, "CONFIG", mask=stage.full)


def fetching(c: Config) -> Iterator[tuple[str, Program]]:
    """For one queue of every class and each direction: its last words come by IFETCH and issue in the first cycle in
    which they may."""
    seen = set()
    for queue in Program(c).floorplan.queues:
        for west in (0, 1):
            stage = Stage(c)
            code = (c.streams - 2) + c.streams * west
            sources = [s for s in stage.upstream(queue.unit.name, code) if s != queue.name]
            if len(sources) >= 2 and (queue.cls, west) not in seen:
                seen.add((queue.cls, west))
                yield f"{queue.name} from the {'east' if west else 'west'}", _fetch(stage, queue, code, sources[:2])


def _fetch(stage: Stage, queue, code: int, sources: list[str]) -> Program:
    """CONFIG, its REPEAT and HALT as fetched words."""
    c, program = stage.config, stage.program
    timing, unit = make("IFETCH").timing(c), queue.unit
    rows = []
    for k in range(-(-3 // fetch_words(c))):
        at = LEAD + k * timing.turn
        stage.put(queue.name, at, "IFETCH", stream=code)
        for beat in range(fetch_beats(c)):
            pair = []
            for half, name in enumerate(sources):
                addr = c.mem.words - 1 - len(rows)
                start = at + beat - 1 - stage.plan.hops(stage.plan.unit(name), unit)
                stage.put(name, start, "READ", addr=addr, stream=code + half)
                pair.append((name, addr))
            rows.append(tuple(pair))
    stage.put(queue.name, at + timing.d_func, "CONFIG", 2, 3, mask=stage.full)
    program.text(queue.name, len(program.lowered()[queue.name]) - 3, rows)
    return program
