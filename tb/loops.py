"""Rewrites a unit of equal lanes as loops over the lanes, for simulation only.

Verilator turns `count` copies of a lane into `count` times the C++ code, and runs the part of it that
stands outside of the clocked blocks in every cycle. Here the netlist of one lane becomes one clocked block a
pipeline stage: `if (enable)` around a loop, the stage's whole logic inside. Enables and whatever else does
not depend on the lane is computed once. The Verilog that users get stays plain; `tests/tb/test_loops.py`
checks the loops against the same golden model.
"""

import dataclasses
import re

from hdl.export import Verilog
from hdl.yosys import Yosys
from tb.lane import Lane

_PREPARE = (
    *("proc", "flatten", "opt_expr", "opt_merge", "opt_clean", "opt_dff -nosdff", "opt_clean"),
    *("opt_expr -fine", "opt_merge", "memory_dff", "memory_collect", "opt_clean"),
)
_MODULE = re.compile(r"^module (\S+?) ?\(.*?^endmodule\n", re.MULTILINE | re.DOTALL)
#: Cells from which on a branch costs less than computing what is not needed.
_WORTH_A_BRANCH = 12


def with_loops(design: Verilog, lanes: str, lane: str) -> Verilog:
    """`design` with module `lanes`, which is several instances of module `lane`, written as loops.

    A port of `lanes` is as wide as that of `lane` and common to all, or as wide as all together, lane 0
    lowest; an output in common depends on inputs in common alone. There is one clock, `clk`, and every
    register that depends on the lane loads under an enable that does not.

    ValueError for a cell or a register that does not fit.
    """
    one, all_lanes = design.ports[lane], design.ports[lanes]
    count = max(all_lanes[port][1] // width for port, (_, width) in one.items())
    shared = {port for port, (_, width) in one.items() if width == all_lanes[port][1]} | {"clk", "rst"}
    modules = {found[1]: found[0] for found in _MODULE.finditer(design.text)}
    text = _Writer(Lane(_netlist(_with_parts(modules, lane), lane), lanes, shared), lanes, count).text()
    return dataclasses.replace(design, text=design.text.replace(modules[lanes], text))


def _with_parts(modules, name):
    """Text of a module and of all that it instantiates."""
    wanted, waiting = {}, [name]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted[name] = modules[name]
            words = re.findall(r"^  (\S+) +\S+ \(", modules[name], re.MULTILINE)
            waiting += [word for word in words if word in modules]
    return "".join(wanted.values())


def _netlist(verilog, lane):
    yosys = Yosys(verilog)
    yosys.run(f"hierarchy -top {lane}", *_PREPARE)
    return yosys.report("json")["modules"][lane]


class _Writer:
    """The text of `name`, `count` lanes in loops."""

    def __init__(self, lane, name, count):
        self.lane, self.name, self.count = lane, name, count

    def text(self):
        stages = {}
        shared, arrays = [], []
        for register in self.lane.registers:
            if register[1][0] in self.lane.lane_bits:
                if register[3] in self.lane.lane_bits:
                    raise ValueError(f"A register of {self.name} has an enable of its own in every lane.")
                arrays.append(register)
                stages.setdefault(register[3], []).append(register)
            else:
                shared.append(register)
        lines = [f"module {self.name}({', '.join(self.lane.ports)});", *self._port_lines()]
        lines += [f"  reg [{len(r[1]) - 1}:0] {r[0]};" for r in shared]
        lines += [f"  reg [{len(r[1]) - 1}:0] {r[0]} [0:{self.count - 1}];" for r in arrays]
        lines += self._rom_lines()
        outputs = [cell["connections"]["Y"] for cell in self.lane.cells.values()]
        common = self.lane.cone([bits[0] for bits in outputs if bits[0] not in self.lane.lane_bits], {})
        lines += [f"  wire [{width - 1}:0] {key} = {self.lane.cell(key, {})};" for key, width in common]
        for register in shared:
            condition = "" if register[3] == "1" else f"if ({self.lane.bits([register[3]], {})}) "
            loaded = self.lane.bits(register[2], {})
            lines.append(f"  always @(posedge clk) {condition}{register[0]} <= {loaded};")
        for enable, group in stages.items():
            lines += self._stage(enable, group)
        lines += self._outputs()
        return "\n".join([*lines, "endmodule", ""])

    def _port_lines(self):
        for port, info in self.lane.ports.items():
            width = len(info["bits"]) * (1 if port in self.lane.shared_ports else self.count)
            kind = "reg " if info["direction"] == "output" and port not in self.lane.shared_ports else ""
            yield f"  {info['direction']} {kind}[{width - 1}:0] {port};"

    def _rom_lines(self):
        if self.lane.rom is None:
            return
        table, width, rows = self.lane.rom
        yield f"  reg [{width - 1}:0] {table} [0:{len(rows) - 1}];"
        yield "  initial begin"
        yield from (f"    {table}[{k}] = {width}'h{row:x};" for k, row in enumerate(rows))
        yield "  end"

    def _stage(self, enable, group):
        """One clocked block: the stage's logic and its registers, lane by lane."""
        known = {enable: "1"}
        roots = [bit for register in group for bit in register[2]]
        body = [f"{register[0]}[i] <= {self._loaded(register, known)};" for register in group]
        condition = "" if enable == "1" else f"if ({self.lane.bits([enable], {})}) "
        yield f"  always @(posedge clk) {condition}begin : stage_{group[0][0]}"
        yield from self._loop(roots, known, body)

    def _loaded(self, register, known):
        value = self.lane.bits(register[2], known)
        return value if register[4] is None else f"{register[4]}[{value}]"

    def _outputs(self):
        for port, info in self.lane.ports.items():
            if info["direction"] != "output":
                continue
            width, bits = len(info["bits"]), info["bits"]
            if port in self.lane.shared_ports:
                yield f"  assign {port} = {self.lane.bits(bits, {})};"
                continue
            yield f"  always @* begin : drive_{port}"
            yield from self._loop(bits, {}, [f"{port}[{width}*i +: {width}] = {self.lane.bits(bits, {})};"])

    def _loop(self, roots, known, body):
        inputs = {}
        cone = [entry for entry in self.lane.cone(roots, known) if self.lane.in_lane(entry[0])]
        for bit in self.lane.leaves(roots, cone):
            key, _, width = self.lane.home.get(bit, (None, 0, 0))
            if key in self.lane.ports and key not in self.lane.shared_ports:
                inputs[key] = width
        yield "    integer i;"
        yield from (f"    reg [{width - 1}:0] {key};" for key, width in cone)
        yield from (f"    reg [{width - 1}:0] {key}_i;" for key, width in inputs.items())
        yield "    /*verilator unroll_disable*/"
        yield f"    for (i = 0; i < {self.count}; i = i + 1) begin"
        yield from (f"      {key}_i = {key}[{width}*i +: {width}];" for key, width in inputs.items())
        yield from (f"      {line}" for line in self._guarded([key for key, _ in cone], roots, known))
        yield from (f"      {line}" for line in body)
        yield "    end"
        yield "  end"

    def _guarded(self, order, roots, known):
        """The cells in order; what only a choice against zero needs stands under its condition."""
        inside = {}
        for key in order:
            nets = self.lane.cells[key]["connections"]
            if self.lane.cells[key]["type"] == "$mux" and set(nets["A"]) == {"0"} and nets["S"][0] not in known:
                without = self.lane.reached(roots, known, key)
                only = {cell for cell in self.lane.reached(nets["B"], known) if cell not in without}
                if len(only) >= _WORTH_A_BRANCH:
                    inside[key] = only
        # what stands under several conditions belongs to the innermost
        owner = {}
        for key, only in sorted(inside.items(), key=lambda item: -len(item[1])):
            owner.update(dict.fromkeys(only, key))

        def lines(region):
            for key in order:
                if owner.get(key) != region:
                    continue
                if key in inside:
                    nets = self.lane.cells[key]["connections"]
                    yield f"if ({self.lane.bits(nets['S'], known)}) begin"
                    yield from (f"  {line}" for line in lines(key))
                    yield f"  {key} = {self.lane.bits(nets['B'], known)};"
                    yield f"end else {key} = 0;"
                else:
                    yield f"{key} = {self.lane.cell(key, known)};"

        return lines(None)
