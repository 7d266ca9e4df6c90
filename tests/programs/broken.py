"""Programs broken on purpose: each breaker does one thing that is wrong for sure, and names the rule against
it."""

import random
from collections.abc import Callable

from sw.asm.operands import PREV
from sw.asm.program import Program
from sw.isa.codec import make
from tests.programs.schedule import FIRST

#: A word that random programs neither initialise nor use.
UNUSED = 3


class Unsuitable(Exception):
    """The program has nothing that this breaker could break."""


def clone(program: Program) -> Program:
    """A copy that may be changed; the words of the entries are copied too."""
    other = Program(program.config)
    for name, words in program.entries.items():
        for time, entry in words.items():
            for op in entry.slots.values():
                copied = other.place(program.queue(name), time, op)
            copied.copies, copied.gap = entry.copies, entry.gap
    other.plain = {name: list(words) for name, words in program.plain.items()}
    other.segments, other.texts = list(program.segments), dict(program.texts)
    other.inputs, other.outputs = list(program.inputs), list(program.outputs)
    return other


def break_program(program: Program, seed: int) -> tuple[Program, str]:
    """A copy with one thing wrong, and the rule that the checker must name."""
    rng = random.Random(seed)
    for rule in rng.sample(list(BREAKERS), k=len(BREAKERS)):
        broken = clone(program)
        try:
            BREAKERS[rule](broken, rng)
        except Unsuitable:
            continue
        return broken, rule
    raise Unsuitable


def _late(program: Program) -> int:
    """A cycle in which every stream has run empty and nothing is on its way."""
    last = max((e.last for words in program.entries.values() for e in words.values()), default=0)
    return last + 300


def _free(program: Program, queue: str) -> bool:
    """Whether a queue takes more words, and has power in all superlanes."""
    words = program.entries[queue].values()
    return queue not in program.texts and all(e.control != "CONFIG" for e in words)


def _slices(program: Program, rng: random.Random, count: int) -> list[str]:
    """Slices in order from west to east whose queues take more words."""
    free = [unit for unit in program.floorplan.slices if _free(program, unit.name)]
    if len(free) < count:
        raise Unsuitable
    return [unit.name for unit in sorted(rng.sample(free, k=count), key=lambda unit: unit.stop)]


def _stream_unwritten(program: Program, rng: random.Random) -> None:
    program.at(_late(program)).mem(*_slices(program, rng, 1)).write(FIRST, rng.choice(("E3", "W5")))


def _mem_uninitialised(program: Program, rng: random.Random) -> None:
    program.at(_late(program)).mem(*_slices(program, rng, 1)).read(UNUSED, rng.choice(("E3", "W5")))


def _stream_conflict(program: Program, rng: random.Random) -> None:
    a, b = _slices(program, rng, 2)
    plan, late = program.floorplan, _late(program)
    if plan.unit(a).stop != plan.unit(b).stop:
        raise Unsuitable
    for name in (a, b):
        program.at(late).mem(name).read(FIRST, "W6")


def _moved(program: Program, rng: random.Random) -> tuple[str, int]:
    """A slice and a cycle in which E2 brings it a value."""
    a, b = _slices(program, rng, 2)
    hops, late = program.floorplan.hops(program.floorplan.unit(a), program.floorplan.unit(b)), _late(program)
    if not hops:
        raise Unsuitable
    program.at(late).mem(a).read(FIRST, "E2")
    return b, late + 1 + hops


def _mem_text(program: Program, rng: random.Random) -> None:
    name, cycle = _moved(program, rng)
    program.data(name, UNUSED, [0], text=True)
    program.at(cycle).mem(name).write(UNUSED, "E2")


def _mem_bank(program: Program, rng: random.Random) -> None:
    name, cycle = _moved(program, rng)
    program.at(cycle).mem(name).write(FIRST, "E2")
    program.at(cycle).mem(name).read(FIRST + 1, "W1")


def _without(program: Program, user: str, provider: str) -> None:
    """Takes all `provider`s away from a queue or unit that has `user`s."""
    entries = [e for words in program.entries.values() for e in words.values()]
    users = [e.queue for e in entries for op in e.slots.values() if op.instr.name == user]
    units = {queue.unit.name for queue in users if _free(program, queue.name)}
    hit = False
    for words in program.entries.values():
        for time, entry in list(words.items()):
            for slot, op in list(entry.slots.items()):
                if op.instr.name == provider and entry.queue.unit.name in units:
                    del entry.slots[slot]
                    hit = True
            if not entry.slots:
                del words[time]
    if not hit:
        raise Unsuitable


def _plane(program: Program) -> str:
    planes = [unit.name for unit in program.floorplan.units if unit.kind == "MXM"]
    if not planes or not _free(program, f"{planes[0]}_R"):
        raise Unsuitable
    return planes[0]


def _acc_unset(program: Program, rng: random.Random) -> None:
    queue = program.queue(f"{_plane(program)}_R")
    used = {
        op["row"]
        for e in program.entries[queue.name].values()
        for op in e.slots.values()
        if "row" in op.values
    }
    free = sorted(set(range(program.config.mxm.acc_rows)) - used)
    kind = program.config.mxm.types[0]
    program.at(_late(program)).queue(queue.name).acc(kind, "READ", rng.choice(free), "SG4_E[0]")


def _acc_pass(program: Program, rng: random.Random) -> None:
    kind = program.config.mxm.types[0]
    program.at(_late(program)).queue(f"{_plane(program)}_R").acc(kind, "SET", 0)


def _alu(program: Program, number: int) -> int:
    if number >= program.config.alus or not _free(program, f"VXM{number}"):
        raise Unsuitable
    return number


def _vxm_chain(program: Program, rng: random.Random) -> None:
    program.at(_late(program)).vxm(_alu(program, 1)).neg("int8", PREV)


def _vxm_result(program: Program, rng: random.Random) -> None:
    alu, late = _alu(program, 0), _late(program)
    slow = make("CONVERT", dtype=2).timing(program.config).d_chain
    quick = make("MOV").timing(program.config).d_chain
    program.at(late).vxm(alu).convert("int8", "int32", 5)
    program.at(late + slow - quick).vxm(alu).mov("int8", 7)


def _queue(program: Program, rng: random.Random) -> None:
    name = rng.choice([q.name for q in program.floorplan.queues if q.name not in program.texts])
    program.at(_late(program)).queue(name).ifetch("SG2_W[1]")


BREAKERS: dict[str, Callable[[Program, random.Random], None]] = {
    "stream-unwritten": _stream_unwritten,
    "stream-conflict": _stream_conflict,
    "mem-uninitialised": _mem_uninitialised,
    "mem-text": _mem_text,
    "mem-bank": _mem_bank,
    "mxm-weights": lambda program, rng: _without(program, "ABC", "IW"),
    "acc-lost": lambda program, rng: _without(program, "ABC", "ACC"),
    "sxm-map": lambda program, rng: _without(program, "PERMUTE", "MAP"),
    "acc-unset": _acc_unset,
    "acc-pass": _acc_pass,
    "vxm-chain": _vxm_chain,
    "vxm-result": _vxm_result,
    "queue": _queue,
}
