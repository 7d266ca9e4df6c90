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

_PREPARE = (
    *("proc", "flatten", "opt_expr", "opt_merge", "opt_clean", "opt_dff -nosdff", "opt_clean"),
    *("opt_expr -fine", "opt_merge", "memory_dff", "memory_collect", "opt_clean"),
)
_BINARY = {
    "$add": "+", "$sub": "-", "$mul": "*", "$and": "&", "$or": "|", "$xor": "^", "$xnor": "~^", "$eq": "==",
    "$ne": "!=", "$lt": "<", "$le": "<=", "$gt": ">", "$ge": ">=", "$logic_and": "&&", "$logic_or": "||",
    "$shl": "<<", "$shr": ">>", "$sshl": "<<<", "$sshr": ">>>",
}
_MODULE = re.compile(r"^module (\S+?) ?\(.*?^endmodule\n", re.MULTILINE | re.DOTALL)
#: Cells from which on a branch costs less than computing what is not needed.
_WORTH_A_BRANCH = 12
_UNARY = {
    "$not": "~", "$neg": "-", "$pos": "", "$reduce_or": "|", "$reduce_bool": "|", "$reduce_and": "&",
    "$reduce_xor": "^", "$logic_not": "!",
}


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
    text = _Writer(_netlist(_with_parts(modules, lane), lane), lanes, count, shared).text()
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
    """Bits of the netlist are numbers; each belongs to a port, a register or the output of a cell."""

    def __init__(self, module, name, count, shared):
        self.name, self.count, self.shared_ports = name, count, shared
        self.ports = module["ports"]
        self.cells, self.registers, self.rom = {}, [], None
        self.home = {}
        self.lane_bits = set()
        for port, info in self.ports.items():
            if info["direction"] == "input":
                self._place(port, info["bits"], port not in shared)
        for number, cell in enumerate(module["cells"].values()):
            self._sort(number, cell)
        self._spread()

    def _place(self, key, bits, in_lane=False):
        for index, bit in enumerate(bits):
            self.home[bit] = (key, index, len(bits))
            if in_lane:
                self.lane_bits.add(bit)

    def _sort(self, number, cell):
        kind, nets = cell["type"], cell["connections"]
        if kind == "$scopeinfo":
            return
        if kind in ("$dff", "$dffe"):
            if _value(cell, "CLK_POLARITY") != 1 or (kind == "$dffe" and _value(cell, "EN_POLARITY") != 1):
                raise ValueError(f"A register of {self.name} does not load at a rise under a high enable.")
            self.registers.append((f"q{number}", nets["Q"], nets["D"], nets.get("EN", ["1"])[0], None))
            self._place(f"q{number}", nets["Q"])
        elif kind == "$mem_v2":
            self._sort_rom(number, cell)
        elif kind in _BINARY or kind in _UNARY or kind in ("$mux", "$pmux"):
            self.cells[f"t{number}"] = cell
            self._place(f"t{number}", nets["Y"])
        else:
            raise ValueError(f"A lane of {self.name} holds a cell {kind}, for which there is no loop.")

    def _sort_rom(self, number, cell):
        if _value(cell, "WR_PORTS") or _value(cell, "RD_PORTS") != 1 or _value(cell, "RD_CLK_ENABLE") != 1:
            raise ValueError(f"A memory of {self.name} is not a table with one clocked read port.")
        nets, width, size = cell["connections"], _value(cell, "WIDTH"), _value(cell, "SIZE")
        init = int(cell["parameters"]["INIT"], 2)
        rows = [init >> (width * k) & ((1 << width) - 1) for k in range(size)]
        table = f"rom{number}"
        self.rom = (table, width, rows)
        self.registers.append((f"q{number}", nets["RD_DATA"], nets["RD_ADDR"], nets["RD_EN"][0], table))
        self._place(f"q{number}", nets["RD_DATA"])

    def _spread(self):
        """Marks every bit that depends on a lane's own inputs."""
        while True:
            before = len(self.lane_bits)
            for cell in self.cells.values():
                nets = cell["connections"]
                if any(bit in self.lane_bits for port, bits in nets.items() if port != "Y" for bit in bits):
                    self.lane_bits.update(nets["Y"])
            for _, q, d, enable, _ in self.registers:
                if any(bit in self.lane_bits for bit in (*d, enable)):
                    self.lane_bits.update(q)
            if len(self.lane_bits) == before:
                return

    def text(self):
        stages = {}
        shared, arrays = [], []
        for register in self.registers:
            if register[1][0] in self.lane_bits:
                if register[3] in self.lane_bits:
                    raise ValueError(f"A register of {self.name} has an enable of its own in every lane.")
                arrays.append(register)
                stages.setdefault(register[3], []).append(register)
            else:
                shared.append(register)
        lines = [f"module {self.name}({', '.join(self.ports)});", *self._port_lines()]
        lines += [f"  reg [{len(r[1]) - 1}:0] {r[0]};" for r in shared]
        lines += [f"  reg [{len(r[1]) - 1}:0] {r[0]} [0:{self.count - 1}];" for r in arrays]
        lines += self._rom_lines()
        outputs = [cell["connections"]["Y"] for cell in self.cells.values()]
        common = self._cone([bits[0] for bits in outputs if bits[0] not in self.lane_bits], {})
        lines += [f"  wire [{width - 1}:0] {key} = {self._cell(key, {})};" for key, width in common]
        for register in shared:
            condition = "" if register[3] == "1" else f"if ({self._bits([register[3]], {})}) "
            loaded = self._bits(register[2], {})
            lines.append(f"  always @(posedge clk) {condition}{register[0]} <= {loaded};")
        for enable, group in stages.items():
            lines += self._stage(enable, group)
        lines += self._outputs()
        return "\n".join([*lines, "endmodule", ""])

    def _port_lines(self):
        for port, info in self.ports.items():
            width = len(info["bits"]) * (1 if port in self.shared_ports else self.count)
            kind = "reg " if info["direction"] == "output" and port not in self.shared_ports else ""
            yield f"  {info['direction']} {kind}[{width - 1}:0] {port};"

    def _rom_lines(self):
        if self.rom is None:
            return
        table, width, rows = self.rom
        yield f"  reg [{width - 1}:0] {table} [0:{len(rows) - 1}];"
        yield "  initial begin"
        yield from (f"    {table}[{k}] = {width}'h{row:x};" for k, row in enumerate(rows))
        yield "  end"

    def _stage(self, enable, group):
        """One clocked block: the stage's logic and its registers, lane by lane."""
        known = {enable: "1"}
        roots = [bit for register in group for bit in register[2]]
        body = [f"{register[0]}[i] <= {self._loaded(register, known)};" for register in group]
        condition = "" if enable == "1" else f"if ({self._bits([enable], {})}) "
        yield f"  always @(posedge clk) {condition}begin : stage_{group[0][0]}"
        yield from self._loop(roots, known, body)

    def _loaded(self, register, known):
        value = self._bits(register[2], known)
        return value if register[4] is None else f"{register[4]}[{value}]"

    def _outputs(self):
        for port, info in self.ports.items():
            if info["direction"] != "output":
                continue
            width, bits = len(info["bits"]), info["bits"]
            if port in self.shared_ports:
                yield f"  assign {port} = {self._bits(bits, {})};"
                continue
            yield f"  always @* begin : drive_{port}"
            yield from self._loop(bits, {}, [f"{port}[{width}*i +: {width}] = {self._bits(bits, {})};"])

    def _loop(self, roots, known, body):
        inputs = {}
        cone = [entry for entry in self._cone(roots, known) if self._in_lane(entry[0])]
        for bit in self._leaves(roots, cone):
            key, _, width = self.home.get(bit, (None, 0, 0))
            if key in self.ports and key not in self.shared_ports:
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
            nets = self.cells[key]["connections"]
            if self.cells[key]["type"] == "$mux" and set(nets["A"]) == {"0"} and nets["S"][0] not in known:
                without = self._reached(roots, known, key)
                only = {cell for cell in self._reached(nets["B"], known) if cell not in without}
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
                    nets = self.cells[key]["connections"]
                    yield f"if ({self._bits(nets['S'], known)}) begin"
                    yield from (f"  {line}" for line in lines(key))
                    yield f"  {key} = {self._bits(nets['B'], known)};"
                    yield f"end else {key} = 0;"
                else:
                    yield f"{key} = {self._cell(key, known)};"

        return lines(None)

    def _reached(self, roots, known, cut=None):
        """Cells that `roots` depend on within the lane, other than through the second choice of multiplexer `cut`."""
        found, waiting = set(), list(roots)
        while waiting:
            bit = waiting.pop()
            key = self.home.get(bit, (None,))[0]
            if bit in known or key not in self.cells or key in found:
                continue
            found.add(key)
            nets = self.cells[key]["connections"]
            waiting += [bit for port, bits in nets.items() if port != "Y" and (key, port) != (cut, "B") for bit in bits]
        return found

    def _in_lane(self, key):
        return self.cells[key]["connections"]["Y"][0] in self.lane_bits

    def _leaves(self, roots, cone):
        yield from roots
        for key, _ in cone:
            nets = self.cells[key]["connections"]
            yield from (bit for port, bits in nets.items() if port != "Y" for bit in bits)

    def _cone(self, roots, known):
        """Cells that `roots` need, in order of evaluation, each with its width."""
        done, order = set(), []
        stack = [(bit, False) for bit in reversed(roots)]
        while stack:
            item, finished = stack.pop()
            if finished:
                order.append((item, len(self.cells[item]["connections"]["Y"])))
                continue
            key = self.home.get(item, (None,))[0]
            if key not in self.cells or key in done or item in known:
                continue
            done.add(key)
            stack.append((key, True))
            nets = self.cells[key]["connections"]
            stack += [(bit, False) for port, bits in nets.items() if port != "Y" for bit in bits]
        return order

    def _bits(self, bits, known):
        """Expression of a list of bits, low first."""
        parts, k = [], 0
        while k < len(bits):
            bit = known.get(bits[k], bits[k])
            if isinstance(bit, str):
                run, digits = 0, ""
                while k + run < len(bits) and isinstance(bit := known.get(bits[k + run], bits[k + run]), str):
                    run, digits = run + 1, ("1" if bit == "1" else "0") + digits
                parts.append(f"{run}'h{int(digits, 2):x}")
            else:
                key, low, width = self.home[bit]
                run = 1
                while k + run < len(bits) and self.home.get(bits[k + run]) == (key, low + run, width):
                    run += 1
                parts.append(self._slice(key, low, run, width))
            k += run
        return parts[0] if len(parts) == 1 else f"{{{', '.join(reversed(parts))}}}"

    def _slice(self, key, low, run, width):
        whole = key
        if key in self.ports and key not in self.shared_ports:
            whole = f"{key}_i"
        elif any(key == r[0] and r[1][0] in self.lane_bits for r in self.registers):
            whole = f"{key}[i]"
        return whole if run == width else f"{whole}[{low + run - 1}:{low}]" if run > 1 else f"{whole}[{low}]"

    def _cell(self, key, known):
        cell = self.cells[key]
        kind, nets = cell["type"], cell["connections"]
        if kind == "$mux" and known.get(nets["S"][0]) == "1":
            return self._bits(nets["B"], known)
        if kind == "$mux":
            choice, a, b = (self._bits(nets[port], known) for port in "SAB")
            return f"{choice} ? {b} : {a}"
        if kind == "$pmux":
            width, text = len(nets["Y"]), ""
            for k, select in enumerate(nets["S"]):
                choice = self._bits(nets["B"][k * width:(k + 1) * width], known)
                text += f"{self._bits([select], known)} ? {choice} : "
            return text + self._bits(nets["A"], known)
        a = self._operand(cell, "A", known)
        if kind == "$reduce_xor" and (masked := self._masked(nets["A"], known)):
            return masked
        if kind in _UNARY:
            return f"{_UNARY[kind]}{a}"
        return f"{a} {_BINARY[kind]} {self._operand(cell, 'B', known)}"

    def _masked(self, bits, known):
        """The parity of many bits of one vector as that of the vector under a mask, which costs a word at a time."""
        bits = [bit for bit in bits if bit != "0"]
        places = [self.home.get(bit) for bit in bits if bit not in known]
        if len(bits) < 8 or len(places) < len(bits) or not all(places) or len({place[0] for place in places}) > 1:
            return None
        key, _, width = places[0]
        mask = 0
        for _, index, _ in places:
            mask ^= 1 << index
        return f"^({self._slice(key, 0, width, width)} & {width}'h{mask:x})"

    def _operand(self, cell, port, known):
        text = self._bits(cell["connections"][port], known)
        return f"$signed({text})" if _value(cell, f"{port}_SIGNED") else f"({text})"


def _value(cell, parameter):
    return int(cell["parameters"][parameter], 2)
