"""Bench for link ports: units of some chips, each on its own clock, joined by wires that delay, spoil and lose words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.c2c.port import Port, PortTile
from hdl.export import export
from hdl.lib.issue import Issue
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, check_bits, data_bits
from sw.arch.config import Config, load
from sw.arch.ecc import secded
from sw.arch.hostmap import Fault
from sw.isa.codec import encode, make
from tb.harness import Sources, build, run
from tb.tb_clocks import PERIODS

#: Nominal period of all clocks.
PERIOD_PS = 1_000_000
_CLASSES = ("C2C_SEND", "C2C_RECEIVE")


def shape(lanes: int, superlanes: int, link_bytes: int, links: int = 2, **more) -> Config:
    """A small chip with ports."""
    name = f"l{lanes}x{superlanes}w{link_bytes}"
    given = {"links": links, "link_bytes": link_bytes} | more
    return load("tiny").replace(name=name, lanes=lanes, superlanes=superlanes, streams=2 * max(lanes, 8), c2c=given)


class Unit(wiring.Component):
    """All ports of a unit with their tiles; the operand of every tile is an input."""

    def __init__(self, c: Config):
        self.config = c
        bits = 8 * c.c2c.link_bytes
        members = {"hac": In(8), "start": In(1)}
        for k in range(c.c2c.links):
            members |= {f"tx_{k}": Out(bits), f"rx_{k}": In(bits), f"rx_clk_{k}": In(1)}
            members |= {f"heard_{k}": Out(1), f"damaged_{k}": Out(1)}
            for q, cls in enumerate(_CLASSES):
                members |= {f"issue_{k}_{q}": In(Issue(c, cls)), f"fault_{k}_{q}": Out(Fault), f"corrected_{k}_{q}": Out(8)}
            for r in range(c.superlanes):
                members |= {f"data_{k}_{r}": In(data_bits(c)), f"check_{k}_{r}": In(check_bits(c))}
                members |= {f"drive_{k}_{r}": Out(Drive(c, (1,)))}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        c, ports = self.config, []
        for k in range(c.c2c.links):
            m.submodules[f"port_{k}"] = port = stamp(Port(c), "c2c_port")
            ports.append(port)
            for name in ("rx", "rx_clk"):
                m.d.comb += getattr(port, name).eq(getattr(self, f"{name}_{k}"))
            for name in ("tx", "heard", "damaged"):
                m.d.comb += getattr(self, f"{name}_{k}").eq(getattr(port, name))
            m.d.comb += [port.hac.eq(self.hac), port.start.eq(self.start)]
            for q in range(2):
                connect(m, flipped(getattr(self, f"issue_{k}_{q}")), getattr(port, f"issue_{q}"))
                m.d.comb += getattr(self, f"fault_{k}_{q}").eq(getattr(port, f"fault_{q}"))
                m.d.comb += getattr(self, f"corrected_{k}_{q}").eq(getattr(port, f"corrected_{q}"))
            for r in range(c.superlanes):
                m.submodules[f"tile_{k}_{r}"] = tile = stamp(PortTile(c), "c2c_tile")
                spine = getattr(port, f"tile_{r}")
                for name in ("send", "stream", "result_valid", "result", "target"):
                    m.d.comb += getattr(tile, name).eq(getattr(spine, name))
                for name in ("taken", "corrected", "fault"):
                    m.d.comb += getattr(spine, name).eq(getattr(tile, name))
                m.d.comb += [tile.tap_0.data.eq(getattr(self, f"data_{k}_{r}"))]
                m.d.comb += [tile.tap_0.check.eq(getattr(self, f"check_{k}_{r}"))]
                connect(m, tile.drive_0, flipped(getattr(self, f"drive_{k}_{r}")))
        for j, port in enumerate(ports):
            for k, other in enumerate(ports):
                m.d.comb += [getattr(port, f"word_{k}").eq(other.word), getattr(port, f"state_{k}").eq(other.state)]
            m.d.comb += port.passed.eq(Cat(other.passes[j] for other in ports).any())
        return m


@dataclass(frozen=True)
class Wire:
    """A wire from (unit, port) to (unit, port): words come `delay` of the sender's cycles later, spoiled by what `noise`
    gives by the cycle in which they are sent; in the cycles `lost` the receiver's clock stands still."""

    source: tuple[int, int]
    target: tuple[int, int]
    delay: int = 3
    noise: Mapping[int, int] = field(default_factory=dict)
    lost: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Received:
    """What a unit did: vectors by (port, cycle of superlane 0 in which they were driven), faults by (cycle, port, queue),
    corrected codewords and frames that were passed on damaged by port, and the first cycle in which a port had heard the
    mark."""

    vectors: dict[tuple[int, int], np.ndarray]
    faults: list[tuple[int, int, int, str]]
    corrected: dict[int, int]
    damaged: dict[int, int]
    heard: dict[int, int]


class LinkBench:
    """Units 0 … n - 1 and their inputs, cycle by cycle of their own clocks."""

    def __init__(self, c: Config, units: int):
        self.c = c
        self._unit = export(Unit(c), "unit")
        self._rows: list[dict[int, dict[str, int]]] = [{} for _ in range(units)]
        self.put(0, {})
        for unit in range(units):
            self.put(unit, {1: {"start": 1}})

    def put(self, unit: int, rows: Mapping[int, Mapping[str, int]]) -> None:
        """Inputs of a unit by cycle."""
        for cycle, row in rows.items():
            self._rows[unit].setdefault(cycle, {}).update(row)

    def issue(self, unit: int, port: int, cycle: int, name: str, mask: int | None = None, **fields: int) -> None:
        """An instruction of one of a port's queues."""
        op = make(name, **fields)
        q = _CLASSES.index(op.instr.cls)
        full = (1 << self.c.superlanes) - 1
        values = {"valid": 1, "mask": full if mask is None else mask, "word": encode((op,), op.instr.cls, self.c)}
        self.put(unit, {cycle: {f"issue_{port}_{q}__{key}": value for key, value in values.items()}})

    def send(self, unit: int, port: int, cycle: int, vector: np.ndarray, number: int, mask: int | None = None) -> None:
        """SEND with its operand."""
        self.issue(unit, port, cycle, "SEND", mask, stream=0, number=number, stride=0)
        code = secded(data_bits(self.c))
        for r in range(self.c.superlanes):
            lanes = vector[r * self.c.lanes : (r + 1) * self.c.lanes]
            data = int.from_bytes(lanes.tobytes(), "little")
            check = sum(((data & m).bit_count() & 1) << i for i, m in enumerate(code.masks))
            self.put(unit, {cycle + r: {f"data_{port}_{r}": data, f"check_{port}_{r}": check}})

    def play(self, wires: list[Wire], cycles: int, folder: Path, periods: list[int] | None = None) -> list[Received]:
        """Runs so many cycles of every unit; `periods` in ps, all alike by default."""
        ports = self._unit.ports["unit"]
        inputs, outputs = ({name: bits for name, (way, bits) in ports.items() if way == kind} for kind in "io")
        inputs = {name: bits for name, bits in inputs.items() if not name.startswith("rx_")}
        places, width = _places(inputs)
        for unit, rows in enumerate(self._rows):
            lines = []
            for t in range(cycles):
                row = {"hac": t % 252} | rows.get(t, {})
                lines.append(f"{sum(row.get(name, 0) << at for name, at in places.items()):x}")
            (folder / f"stimulus_{unit}.hex").write_text("\n".join([*lines, ""]))
        for w, wire in enumerate(wires):
            bits = 8 * self.c.c2c.link_bytes
            noise = [wire.noise.get(t, 0) | (t in wire.lost) << bits for t in range(cycles)]
            (folder / f"noise_{w}.hex").write_text("\n".join([*(f"{n:x}" for n in noise), ""]))
        text = self._top(wires, cycles, inputs, outputs, width)
        sources = Sources("bench", {"unit.v": self._unit.text, "bench.v": text})
        periods = periods or [PERIOD_PS] * len(self._rows)
        run(build(sources), "tb.tb_clocks", test_dir=folder, env={PERIODS: " ".join(map(str, periods))})
        return [self._received(folder / f"answers_{unit}.hex", outputs) for unit in range(len(self._rows))]

    def _top(self, wires: list[Wire], cycles: int, inputs, outputs, width: int) -> str:
        bits, units = 8 * self.c.c2c.link_bytes, len(self._rows)
        answer_places, answer_width = _places(outputs)
        lines = []
        for u in range(units):
            pins = [f".clk(clk_{u})", ".rst(rst)"]
            pins += [f".{n}(row_{u}[{at} +: {inputs[n]}])" for n, at in _places(inputs)[0].items()]
            pins += [f".{n}(answer_{u}[{at} +: {outputs[n]}])" for n, at in answer_places.items()]
            for k in range(self.c.c2c.links):
                pins += [f".rx_{k}(rx_{u}_{k})", f".rx_clk_{k}(rx_clk_{u}_{k})"]
                w = next((w for w, wire in enumerate(wires) if wire.target == (u, k)), None)
                source = f"wire_{w}, beat_{w}" if w is not None else f"{bits}'d0, 1'b0"
                lines.append(f"  wire [{bits - 1}:0] rx_{u}_{k}; wire rx_clk_{u}_{k};")
                lines.append(f"  assign {{rx_{u}_{k}, rx_clk_{u}_{k}}} = {{{source}}};")
            lines.append(_UNIT.format(u=u, last=cycles - 1, width=width, answers=answer_width, pins=", ".join(pins)))
        for w, wire in enumerate(wires):
            (u, k), at = wire.source, answer_places
            lines.append(_WIRE.format(w=w, u=u, bits=bits, delay=wire.delay, last=cycles - 1, at=at[f"tx_{k}"]))
        clocks = ", ".join(f"input clk_{u}" for u in range(units))
        done = " & ".join(f"done_{u}" for u in range(units))
        head = f"module bench({clocks}, input rst, output done);\n  assign done = {done};\n"
        return head + "\n".join(lines) + "\nendmodule\n"

    def _received(self, file: Path, outputs: Mapping[str, int]) -> Received:
        places, _ = _places(outputs)
        c = self.c
        rows = [int(line, 16) for line in file.read_text().split() if line[0] != "/"]

        def value(t: int, name: str) -> int:
            return rows[t] >> places[name] & (1 << outputs[name]) - 1

        vectors, faults, heard = {}, [], {}
        corrected, damaged = (dict.fromkeys(range(c.c2c.links), 0) for _ in range(2))
        for t in range(len(rows) - c.superlanes):
            for k in range(c.c2c.links):
                if value(t, f"drive_{k}_0__valid"):
                    parts = [value(t + r, f"drive_{k}_{r}__data").to_bytes(c.lanes, "little") for r in range(c.superlanes)]
                    vectors[k, t] = np.frombuffer(b"".join(parts), np.uint8)
                if value(t, f"heard_{k}"):
                    heard.setdefault(k, t)
                corrected[k] += value(t, f"corrected_{k}_1")
                damaged[k] += value(t, f"damaged_{k}")
                for q in range(2):
                    if code := value(t, f"fault_{k}_{q}"):
                        faults.append((t, k, q, Fault(code).name))
        return Received(vectors, faults, corrected, damaged, heard)


_UNIT = """
  reg [{width}-1:0] stimulus_{u} [0:{last}];
  reg [{answers}-1:0] answers_{u} [0:{last}];
  reg [31:0] t_{u};
  reg done_{u};
  wire [{width}-1:0] row_{u} = rst ? 0 : stimulus_{u}[t_{u}];
  wire [{answers}-1:0] answer_{u};
  unit unit_{u}({pins});
  initial $readmemh("stimulus_{u}.hex", stimulus_{u});
  always @(posedge clk_{u})
    if (rst) begin
      t_{u} <= 0;
      done_{u} <= 0;
    end else if (!done_{u}) begin
      answers_{u}[t_{u}] <= answer_{u};
      if (t_{u} < {last}) t_{u} <= t_{u} + 1;
      else begin
        $writememh("answers_{u}.hex", answers_{u});
        done_{u} <= 1;
      end
    end"""

_WIRE = """
  reg [{bits}:0] noise_{w} [0:{last}];
  initial $readmemh("noise_{w}.hex", noise_{w});
  reg [{bits}:0] line_{w} [0:{delay}];
  integer k_{w};
  always @(posedge clk_{u}) begin
    line_{w}[0] <= {{noise_{w}[t_{u}][{bits}], answer_{u}[{at} +: {bits}] ^ noise_{w}[t_{u}][{bits}-1:0]}};
    for (k_{w} = 0; k_{w} < {delay}; k_{w} = k_{w} + 1) line_{w}[k_{w} + 1] <= line_{w}[k_{w}];
  end
  wire [{bits}-1:0] wire_{w} = line_{w}[{delay}][{bits}-1:0];
  reg kept_{w};
  always @(negedge clk_{u}) kept_{w} <= ~line_{w}[{delay}][{bits}];
  wire beat_{w} = clk_{u} & kept_{w};"""


def _places(widths: Mapping[str, int]) -> tuple[dict[str, int], int]:
    places, at = {}, 0
    for name, bits in widths.items():
        places[name] = at
        at += bits
    return places, at
