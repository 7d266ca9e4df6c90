"""A fully pipelined unit written as a list of stages, each a function from values to values."""

import inspect

from amaranth import Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Registered:
    """A stage's answer that is a register already, such as the data of a memory's read port."""

    def __init__(self, value):
        self.value = value


class Pipeline(wiring.Component):
    """Base of units that take operands with `valid` in any cycle and answer `depth` cycles later.

    A subclass lists its methods in `stages`. Every stage takes the module and, by name, the values it needs:
    inputs of the unit or what an earlier stage answered as a dict of expressions; `valid` is the stage's own.
    The last one answers `result`. Registers load only under their stage's valid, and a value is carried as
    far as it is needed.

    Parameters
    ----------
    ports: dict of name to shape of the inputs beside valid; their names are `operands`

    Members
    -------
    valid: In(1), operands are present
    result: Out(32), of the operands `depth` cycles ago
    result_valid: Out(1), `valid` of `depth` cycles ago
    """

    stages: tuple[str, ...] = ()

    def __init__(self, ports):
        self.operands = tuple(ports)
        members = {name: In(shape) for name, shape in ports.items()}
        super().__init__({"valid": In(1), **members, "result": Out(32), "result_valid": Out(1)})

    @property
    def depth(self) -> int:
        """Cycles from operands to result."""
        return len(self.stages)

    def elaborate(self, platform):
        m = Module()
        functions = [getattr(self, name) for name in self.stages]
        needs = [set(inspect.signature(function).parameters) - {"m", "valid"} for function in functions]
        values = {name: getattr(self, name) for name in self.operands}
        valid = self.valid
        for k, function in enumerate(functions):
            known = {**values, "valid": valid}
            wanted = [name for name in inspect.signature(function).parameters if name != "m"]
            later = {"result"}.union(*needs[k + 1:])
            # the stage builds under its valid, so that what it names rests as well
            with m.If(valid):
                answer = {**values, **function(m, **{name: known[name] for name in wanted})}
            kept = {name: value for name, value in answer.items() if name in later}
            values, valid = self._registers(m, valid, k + 1, kept)
        m.d.comb += [self.result.eq(values["result"]), self.result_valid.eq(valid)]
        return m

    def _registers(self, m, valid, number, values):
        following = Signal(name=f"valid_q{number}")
        m.d.sync += following.eq(valid)
        registers = {}
        with m.If(valid):
            for name, value in values.items():
                if isinstance(value, Registered):
                    registers[name] = value.value
                    continue
                value = Value.cast(value)
                register = Signal(Shape.cast(value.shape()), name=f"{name}_q{number}", reset_less=True)
                m.d.sync += register.eq(value)
                registers[name] = register
        return registers, following
