"""Small random changes of a program, harmful or not."""

import random

from sw.asm.program import Program
from sw.isa.fields import SLOTS
from sw.isa.spec import Kind, Op
from tests.programs.broken import clone


def mutate(program: Program, rng: random.Random) -> Program:
    """A copy with one word moved by a cycle, dropped, or changed in one field."""
    other = clone(program)
    places = [(name, time) for name, words in other.entries.items() for time in words]
    name, time = rng.choice(places)
    words = other.entries[name]
    entry = words.pop(time)
    choice = rng.randrange(3)
    if choice == 0:
        entry.time = max(0, time + rng.choice((-1, 1)))
        words.setdefault(entry.time, entry)
    elif choice == 1:
        _change(other, entry, rng)
        words[time] = entry
    return other


def _change(program: Program, entry, rng: random.Random) -> None:
    """Gives one field of one instruction another value of its range."""
    slot, op = rng.choice(list(entry.slots.items()))
    fields = {field.name: field for field in SLOTS[entry.queue.cls].get(slot, ()) if field.name in op.values}
    if not fields:
        return
    field = rng.choice([f for f in fields.values() if f.kind is not Kind.BITS])
    low, high = field.limits(program.config)
    value = rng.randint(low, high)
    if rng.random() < 0.5:
        value = min(high, max(low, op[field.name] + rng.choice((-1, 1))))
    entry.slots[slot] = Op(op.instr, {**op.values, field.name: value})
