"""Delays whose stages are written only when something valid passes."""

from amaranth.hdl import Module, Signal, Value


def delay(m: Module, valid: Value, value: Value, stages: int, name: str) -> tuple[Value, Value]:
    """`valid` and `value` as they were `stages` cycles ago; `value` counts only where `valid` is high."""
    for k in range(1, stages + 1):
        next_valid = Signal(name=f"{name}_valid_{k}")
        next_value = Signal(len(value), name=f"{name}_{k}", reset_less=True)
        m.d.sync += next_valid.eq(valid)
        with m.If(valid):
            m.d.sync += next_value.eq(value)
        valid, value = next_valid, next_value
    return valid, value
