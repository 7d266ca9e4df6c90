"""A chip that is evaluated for an input only when it changes.

Verilator works out all logic behind the inputs of its top, and of a block that is compiled by itself, whenever anything
changes there, which of a chip is most often a clock. Behind a register that takes an input when it has changed nothing does.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from tb.harness import Sources

#: Inputs that go straight through: clocks, and what comes with them.
_PASSED = re.compile(r"clk|rx_.*")
TOP = "held"


def with_held_inputs(sources: Sources, ports: Mapping[str, tuple[str, int]]) -> Sources:
    """The same behind a module `held`, the new top, with the same `ports`, besides `clk` and `rst`."""
    ports = {"clk": ("i", 1), "rst": ("i", 1), **ports}
    held = [name for name, (way, _) in ports.items() if way == "i" and not _PASSED.fullmatch(name)]
    width = sum(ports[name][1] for name in held)
    pins, low = {name: name for name in ports}, width
    for name in held:
        low -= ports[name][1]
        pins[name] = f"taken[{low} +: {ports[name][1]}]"
    outside = ", ".join(f"{'input' if way == 'i' else 'output'} [{size - 1}:0] {name}" for name, (way, size) in ports.items())
    text = f"""
module {TOP}({outside});
  wire [{width - 1}:0] given = {{{", ".join(held)}}};
  reg [{width - 1}:0] taken = 0;
  wire changed = given != taken;
  always @(posedge changed) taken <= given;
  {sources.top} {sources.top}({", ".join(f".{name}({pin})" for name, pin in pins.items())});
endmodule
"""
    return replace(sources, top=TOP, verilog={**sources.verilog, f"{TOP}.v": text})
