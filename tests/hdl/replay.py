"""Replays rows of input values through an exported design in Verilator and records its outputs."""

from pathlib import Path

from hdl.export import Verilog
from tb.harness import Sources, build, run

_TOP = """
module replay(input clk, input rst, output reg done);
  localparam LAST = {last};
  reg [{inputs}-1:0] stimulus [0:LAST];
  reg [{outputs}-1:0] answers [0:LAST];
  reg [31:0] t;
  wire [{inputs}-1:0] row = rst ? 0 : stimulus[t];
  wire [{outputs}-1:0] answered;
  {top} unit({pins});
  initial $readmemh("stimulus.hex", stimulus);
  always @(posedge clk)
    if (rst) begin
      t <= 0;
      done <= 0;
    end else begin
      answers[t] <= answered;
      if (t < LAST) t <= t + 1;
      else if (!done) begin
        $writememh("answers.hex", answers);
        done <= 1;
      end
    end
endmodule
"""


def replay(unit: Verilog, rows: list[dict[str, int]], folder: Path) -> list[dict[str, int]]:
    """What stands on every output in the cycle of each row; a row gives values by port, those left out are 0.

    The number of rows is part of the build, so equal numbers share one.
    """
    ports = unit.ports[unit.top]
    inputs, outputs = ({name: bits for name, (way, bits) in ports.items() if way == kind} for kind in "io")
    pins = ["clk", "rst"] if "input rst" in unit.text else ["clk"]
    pins = [f".{pin}({pin})" for pin in pins]
    pins += [f".{name}(row[{at} +: {inputs[name]}])" for name, at in _places(inputs).items()]
    pins += [f".{name}(answered[{at} +: {outputs[name]}])" for name, at in _places(outputs).items()]
    # the last answer is written one cycle after it is there
    rows = [*rows, {}]
    text = _TOP.format(
        last=len(rows) - 1,
        inputs=sum(inputs.values()),
        outputs=sum(outputs.values()),
        top=unit.top,
        pins=", ".join(pins),
    )
    lines = []
    for row in rows:
        assert row.keys() <= inputs.keys()
        lines.append(f"{sum(row.get(name, 0) << at for name, at in _places(inputs).items()):x}")
    (folder / "stimulus.hex").write_text("\n".join([*lines, ""]))
    run(build(Sources("replay", {"unit.v": unit.text, "replay.v": text})), "tb.tb_player", test_dir=folder)
    answers = [int(line, 16) for line in (folder / "answers.hex").read_text().split() if line[0] != "/"]
    return [
        {name: answer >> at & ((1 << outputs[name]) - 1) for name, at in _places(outputs).items()}
        for answer in answers[:-1]
    ]


def _places(widths: dict[str, int]) -> dict[str, int]:
    at, places = 0, {}
    for name, bits in widths.items():
        places[name] = at
        at += bits
    return places
