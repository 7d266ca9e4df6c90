"""Random instructions, programs and texts for hypothesis."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sw.arch.config import load
from sw.asm.entry import ProgramError
from sw.asm.program import Program
from sw.isa.codec import EncodeError, check, layout
from sw.isa.rows.icu import ICU
from sw.isa.spec import Op
from sw.isa.table import TABLE

CONFIGS = tuple(load(name) for name in ("tiny", "fpga", "small", "full"))
ROWS = TABLE


def fixed(examples: int) -> settings:
    """The same examples in every run, however slow the machine is."""
    return settings(max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def ops(draw, c, instr):
    """A legal instruction of a row, with any field values."""
    cls = "MEM" if instr.cls == "ICU" else instr.cls
    form = layout(cls, c)
    for _ in range(2):
        values = {}
        for name in instr.fields:
            place = form.slots[instr.slot][f"{instr.name}.{name}" if instr.slot == "icu" else name]
            low, high = place.field.limits(c)
            edges = st.sampled_from(sorted({low, high, 0, min(high, 16)}))
            values[name] = draw(st.one_of(edges, st.integers(low, high)))
        op = Op(instr, values)
        # Most misfits are groups that are not aligned; a second try with rounded streams is often legal.
        for rounded in (1, 2, 4, 16):
            streams = {
                n: v // rounded * rounded for n, v in values.items() if form_kind(form, instr, n) == "stream"
            }
            op = Op(instr, values | streams)
            if legal(op, c, cls):
                return op
    return Op(instr, draw(st.just(minimal(c, instr, cls))))


def form_kind(form, instr, name):
    """The kind of a field, as text."""
    place = form.slots[instr.slot][f"{instr.name}.{name}" if instr.slot == "icu" else name]
    return place.field.kind.value


def legal(op, c, cls):
    """Whether an instruction has an encoding."""
    try:
        check(op, c, cls)
    except EncodeError:
        return False
    return True


def minimal(c, instr, cls):
    """Field values that are legal: zeros and ones, the first type that fits."""
    for dtype in range(5):
        for n in range(5):
            values = dict.fromkeys(instr.fields, 0)
            given = {"dtype": dtype, "n": n, "rows": 1, "gap": 1, "t": 400}
            values |= {name: value for name, value in given.items() if name in values}
            if legal(Op(instr, values), c, cls):
                return values
    raise AssertionError(f"{instr.name} has no legal values in {c.name}")


@st.composite
def programs(draw, configs=CONFIGS[:3]):
    """A program with words, repeats, data, regions and labels; every queue's words are apart."""
    c = draw(st.sampled_from(configs))
    program = Program(c)
    for queue in draw(st.lists(st.sampled_from(program.floorplan.queues), max_size=4, unique=True)):
        time = 0
        for _ in range(draw(st.integers(1, 4))):
            time += draw(st.sampled_from((0, 1, 2, 300, 70_000)))
            rows = [i for i in (*ROWS, *ICU) if i.cls in (queue.cls, "ICU") and buildable(c, i)]
            rows = [i for i in rows if i.name not in ("REPEAT", "HALT", "SYNC", "IFETCH")]
            entry = program.place(queue, time, draw(ops(c, draw(st.sampled_from(rows)))))
            if draw(st.booleans()):
                try:
                    entry.repeat(draw(st.integers(1, 9)), draw(st.integers(1, 20)))
                except ProgramError:
                    # A NOP, or a stride that leads out of range.
                    pass
            time = entry.last + 1
    last = c.mem.words - 1
    for k in range(draw(st.integers(0, 3))):
        program.data(k, draw(st.integers(0, last)), list(draw(st.binary(min_size=1, max_size=c.vl))))
        name = draw(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=6)) + str(k)
        program.input(name, k, draw(st.integers(0, last)))
        program.output(name, k, draw(st.integers(0, last)))
        program.label(f"label{k}", draw(st.integers(-(1 << 40), 1 << 40)))
    return program


def buildable(c, instr):
    """Whether a configuration has a type for this row."""
    try:
        minimal(c, instr, "MEM" if instr.cls == "ICU" else instr.cls)
    except AssertionError:
        return False
    return True
