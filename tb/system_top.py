"""The top of a simulator of several chips, in Verilog."""

from collections.abc import Mapping

from sw.arch.config import Config


def system_top(
    config: Config, ports: Mapping[str, tuple[str, int]], module: str, chips: int, noise_words: int, longest: int
) -> str:
    """`chips` instances of one module, a clock for each, and a wire from every port.

    Files tell what the wires are: `sources.hex` for every port from which it hears, counted from 1 over all chips, 0 for
    none; `delays.hex` how many cycles of its chip every port's words take besides one; `noise_k.hex` what spoils those of
    port k, where the bit above the word loses it.
    """
    count, bits = 2 * config.c2c.links, 8 * config.c2c.link_bytes
    outside, inside = [], []
    for chip in range(chips):
        pins = [f".clk(chip_{chip}_clk)", f".rst(chip_{chip}_rst)"]
        outside += [f"input chip_{chip}_clk", f"input chip_{chip}_rst"]
        for name, (way, width) in ports.items():
            kind, _, number = name.rpartition("_")
            if kind in ("tx", "rx", "rx_clk"):
                pins.append(f".{name}({kind}[{chip * count + int(number)}])")
            else:
                outer = f"chip_{chip}_{name}"
                outside.append(f"{'input' if way == 'i' else 'output'} [{width - 1}:0] {outer}")
                pins.append(f".{name}({outer})")
        inside.append(f"  {module} chip_{chip}({', '.join(pins)});")
        for k in range(chip * count, (chip + 1) * count):
            inside.append(_WIRE.format(k=k, chip=chip, bits=bits, last=noise_words - 1, longest=longest))
    common = _COMMON.format(bits=bits, last=chips * count - 1)
    return f"module system({', '.join(outside)});\n{common}" + "\n".join(inside) + "\nendmodule\n"


_COMMON = """
  wire [{bits}-1:0] tx [0:{last}];
  wire [{bits}-1:0] rx [0:{last}];
  wire [{last}:0] rx_clk;
  reg [{bits}:0] out [0:{last}];
  wire [{last}:0] out_clk;
  reg [31:0] sources [0:{last}];
  reg [31:0] delays [0:{last}];
  initial begin
    $readmemh("sources.hex", sources);
    $readmemh("delays.hex", delays);
  end
"""

_WIRE = """
  reg [{bits}:0] noise_{k} [0:{last}];
  integer i_{k};
  initial begin
    for (i_{k} = 0; i_{k} <= {last}; i_{k} = i_{k} + 1) noise_{k}[i_{k}] = 0;
    $readmemh("noise_{k}.hex", noise_{k});
  end
  reg [31:0] t_{k};
  reg [{bits}:0] line_{k} [0:{longest}];
  wire [{bits}:0] word_{k} = (t_{k} <= {last} ? noise_{k}[t_{k}] : 0) ^ {{1'b0, tx[{k}]}};
  always @(posedge chip_{chip}_clk) begin
    t_{k} <= chip_{chip}_rst ? 0 : t_{k} + 1;
    line_{k}[t_{k} & {longest}] <= word_{k};
    out[{k}] <= delays[{k}] == 0 ? word_{k} : line_{k}[(t_{k} - delays[{k}]) & {longest}];
  end
  reg kept_{k};
  always @(negedge chip_{chip}_clk) kept_{k} <= ~out[{k}][{bits}];
  assign out_clk[{k}] = chip_{chip}_clk & kept_{k};
  assign rx[{k}] = sources[{k}] == 0 ? 0 : out[sources[{k}] - 1][{bits}-1:0];
  assign rx_clk[{k}] = sources[{k}] == 0 ? 0 : out_clk[sources[{k}] - 1];"""
