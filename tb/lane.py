"""The netlist of one lane, and its cells as Verilog expressions."""

_BINARY = {
    "$add": "+", "$sub": "-", "$mul": "*", "$and": "&", "$or": "|", "$xor": "^", "$xnor": "~^", "$eq": "==",
    "$ne": "!=", "$lt": "<", "$le": "<=", "$gt": ">", "$ge": ">=", "$logic_and": "&&", "$logic_or": "||",
    "$shl": "<<", "$shr": ">>", "$sshl": "<<<", "$sshr": ">>>",
}
_UNARY = {
    "$not": "~", "$neg": "-", "$pos": "", "$reduce_or": "|", "$reduce_bool": "|", "$reduce_and": "&",
    "$reduce_xor": "^", "$logic_not": "!",
}


class Lane:
    """What stands in one lane of a group of equal ones.

    Bits of the netlist are numbers; each belongs to a port, a register or the output of a cell, its home. Keys name those:
    the port's name, `q` and `t` with a number. In a loop over lanes `i`, what differs by lane is `<port>_i` and `q…[i]`.

    Attributes
    ----------
    ports, cells : as Yosys writes them, cells by key
    registers : (key, outputs, inputs, enable, table or None)
    rom : (table, width, rows) of the only table, or None
    home : bit -> (key, index, width)
    lane_bits : bits that depend on the lane
    shared_ports : names of ports that all lanes have in common
    """

    def __init__(self, module: dict, name: str, shared: set[str]):
        self.name, self.shared_ports = name, shared
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

    def reached(self, roots, known, cut=None):
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

    def in_lane(self, key):
        """Whether a cell differs by lane."""
        return self.cells[key]["connections"]["Y"][0] in self.lane_bits

    def leaves(self, roots, cone):
        """Bits that a cone of cells takes, its roots among them."""
        yield from roots
        for key, _ in cone:
            nets = self.cells[key]["connections"]
            yield from (bit for port, bits in nets.items() if port != "Y" for bit in bits)

    def cone(self, roots, known):
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

    def bits(self, bits, known):
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

    def cell(self, key, known):
        """Expression of a cell; `known` gives bits that are constant here."""
        cell = self.cells[key]
        kind, nets = cell["type"], cell["connections"]
        if kind == "$mux" and known.get(nets["S"][0]) == "1":
            return self.bits(nets["B"], known)
        if kind == "$mux":
            choice, a, b = (self.bits(nets[port], known) for port in "SAB")
            return f"{choice} ? {b} : {a}"
        if kind == "$pmux":
            width, text = len(nets["Y"]), ""
            for k, select in enumerate(nets["S"]):
                choice = self.bits(nets["B"][k * width:(k + 1) * width], known)
                text += f"{self.bits([select], known)} ? {choice} : "
            return text + self.bits(nets["A"], known)
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
        text = self.bits(cell["connections"][port], known)
        return f"$signed({text})" if _value(cell, f"{port}_SIGNED") else f"({text})"

def _value(cell, parameter):
    return int(cell["parameters"][parameter], 2)
