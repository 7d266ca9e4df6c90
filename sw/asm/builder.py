"""The builder: `program.at(5).mem("E3").read(0x10, "E4")`, one method for every row of the table."""

from typing import TYPE_CHECKING

from sw.arch.floorplan import Queue
from sw.asm.entry import Entry, ProgramError
from sw.asm.operands import syntax
from sw.isa.spec import Instr
from sw.isa.table import TABLE

if TYPE_CHECKING:
    from sw.asm.program import Program

_METHODS = {instr.name.lower(): instr for instr in TABLE}


class Place:
    """One or more queues at one time. The methods are the instructions, in lower case.

    Arguments stand in the order of the row's fields; each can also be given by the name of its field,
    `overflow` and strides only so. Streams are "E4", "SG4_W[3]" or `Stream`; types are "int8" or `DType`;
    operands of the vector unit are a stream, `PREV`, `NEXT`, a number (rounded to a float type) or `Imm`
    (bits). Every method returns the `Entry`, which can be repeated. ProgramError in a sentence for what does
    not fit.
    """

    def __init__(self, program: "Program", time: int, queues: tuple[Queue, ...], name: str):
        self._program, self._time, self._queues, self._name = program, time, queues, name

    def __getattr__(self, method: str):
        if method not in _METHODS:
            raise AttributeError(f"There is no instruction '{method.upper()}'.")
        instr = _METHODS[method]

        def issue(*args, **named) -> Entry:
            return self._issue(instr, args, named)

        return issue

    def __dir__(self):
        return [
            instr.name.lower() for instr in TABLE if any(instr.cls in (q.cls, "ICU") for q in self._queues)
        ]

    def _issue(self, instr: Instr, args: tuple, named: dict[str, object]) -> Entry:
        queues = [q for q in self._queues if instr.cls in (q.cls, "ICU")]
        if not queues:
            raise ProgramError(f"{self._name} has no queue that takes {instr.name}.")
        if len(queues) > 1:
            names = ", ".join(q.name for q in queues)
            raise ProgramError(
                f"{instr.name} fits several queues of {self._name}: {names}; use at(…).queue(name)."
            )
        form = syntax(instr)
        if len(args) > len(form.order):
            raise ProgramError(
                f"{instr.name} takes at most {len(form.order)} arguments ({', '.join(form.order)})."
            )
        given = dict(zip(form.order, args, strict=False))
        for name, value in named.items():
            if name in given:
                raise ProgramError(f"{instr.name}: {name} is given twice.")
            given[name] = value
        return self._program.issue(queues[0], self._time, instr, given)


class Moment:
    """One cycle of a program; names the unit that gets an instruction."""

    def __init__(self, program: "Program", time: int):
        self._program, self._time = program, time

    def queue(self, name: str) -> Place:
        """A queue by name, such as `MEM_E3` or `SXM_E_SHIFT1`."""
        return self._place(name, [self._program.queue(name)])

    def mem(self, name: str) -> Place:
        """A MEM slice, such as `E3`."""
        return self.queue(name if name.startswith("MEM_") else f"MEM_{name}")

    def vxm(self, alu: int) -> Place:
        """An ALU of the vector unit."""
        return self.queue(f"VXM{alu}")

    def mxm(self, name: str) -> Place:
        """A plane, such as `E0`, with its three queues."""
        return self._unit(f"MXM_{name}", lambda queue: True)

    def sxm(self, side: str, number: int = 0) -> Place:
        """Engine `number` of every kind in hemisphere `E` or `W`."""
        return self._unit(f"SXM_{side}", lambda queue: queue.number == number)

    def port(self, number: int) -> Place:
        """A link port with both its queues, counted from the west unit to the east one."""
        side, index = divmod(number, max(1, self._program.config.c2c.links))
        return self._unit(f"C2C_{'WE'[side]}" if side < 2 else f"port {number}", lambda queue: queue.number == index)

    def _unit(self, name: str, wanted) -> Place:
        queues = [q for q in self._program.floorplan.queues if q.unit.name == name and wanted(q)]
        if not queues:
            raise ProgramError(f"This configuration has no such unit as '{name}'.")
        return self._place(name, queues)

    def _place(self, name: str, queues: list[Queue]) -> Place:
        return Place(self._program, self._time, tuple(queues), name)
