"""Plays a schedule through the exported Verilog of a matrix plane."""

from hdl.export import export
from hdl.mxm.bare import BarePlane
from tb.chip import looped
from tb.harness import Sources, build, run
from tests.hdl.mxm_bench import Schedule

#: Cycles that are played, the same for all schedules so that they share a build.
ROWS = 640

_TOP = """
module player(input clk, input rst, output reg done);
  reg [{inputs}-1:0] stimulus [0:{last}];
  reg [{outputs}-1:0] answers [0:{last}];
  reg [31:0] t;
  wire [{inputs}-1:0] row = stimulus[t];
  wire [{outputs}-1:0] answered;
  plane unit({pins});
  initial $readmemh("stimulus.hex", stimulus);
  always @(posedge clk)
    if (rst) begin
      t <= 0;
      done <= 0;
    end else if (t <= {last}) begin
      answers[t] <= answered;
      t <= t + 1;
    end else if (!done) begin
      $writememh("answers.hex", answers);
      done <= 1;
    end
endmodule
"""


def play(schedule: Schedule, tmp_path, loops: bool) -> dict[tuple[int, int, int], tuple[int, int]]:
    """What the plane drove: (cycle, superlane, stream code) -> (data, check)."""
    c = schedule.c
    design = export(BarePlane(c, sim=False), "plane")
    design = looped(design) if loops else design
    places, offset = {}, {"i": 0, "o": 0}
    for name, (way, width) in sorted(design.ports["plane"].items()):
        places[name] = (way, offset[way], width)
        offset[way] += width
    rows = []
    for ports in schedule.inputs():
        row = 0
        for name, value in ports.items():
            if name in places:
                row |= value << places[name][1]
        rows.append(f"{row:x}")
    assert len(rows) <= ROWS, f"the schedule takes {len(rows)} cycles, the player has {ROWS}"
    rows += ["0"] * (ROWS - len(rows))
    (tmp_path / "stimulus.hex").write_text("\n".join(rows) + "\n")
    pins = [
        f".{name}({'row' if way == 'i' else 'answered'}[{low} +: {width}])"
        for name, (way, low, width) in places.items()
    ]
    top = _TOP.format(
        inputs=offset["i"], outputs=offset["o"], last=ROWS - 1, pins=", ".join([".clk(clk)", ".rst(rst)", *pins])
    )
    directory = build(Sources("player", {"plane.v": design.text, "player.v": top}))
    run(directory, "tb.tb_player", test_dir=tmp_path)
    driven = {}
    lines = [line for line in (tmp_path / "answers.hex").read_text().split() if not line.startswith("//")]
    for t, line in enumerate(lines):
        row = int(line, 16)

        def value(name, row=row):
            _, low, width = places.get(name, (None, 0, 0))
            return row >> low & ((1 << width) - 1)

        for r in range(c.superlanes):
            if value(f"drive_{r}__valid"):
                code = value(f"drive_{r}__stream") + c.streams * value(f"drive_{r}__west")
                driven[t, r, code] = (value(f"drive_{r}__data"), value(f"drive_{r}__check"))
    return driven
