"""Plays operands through the lanes of an ALU in Verilator, at full rate with gaps, and checks the latency."""

import numpy as np

from tb.harness import Sources, build, run
from tests.softfloat import generator

#: Lanes of the unit.
COPIES = 4
#: Ports that the lanes have in common.
SHARED = ("op", "dtype", "to", "modular")
_LOG_ROWS = 17

_TOP = """
module player(input clk, input rst, output reg done);
  reg [{width}-1:0] stimulus [0:{last}];
  reg [{answer}-1:0] answers [0:{last}];
  reg [31:0] rows [0:0];
  reg [31:0] t;
  wire [{width}-1:0] row = stimulus[t[{log}-1:0]];
  wire [{answer}-1:0] answered;
{units}
  initial begin
    $readmemh("stimulus.hex", stimulus);
    $readmemh("rows.hex", rows);
  end
  always @(posedge clk)
    if (rst) begin
      t <= 0;
      done <= 0;
    end else if (t < rows[0]) begin
      answers[t[{log}-1:0]] <= answered;
      t <= t + 1;
    end else if (!done) begin
      $writememh("answers.hex", answers, 0, rows[0] - 1);
      done <= 1;
    end
endmodule
"""


def play(unit, depth: int, tmp_path, **operands) -> np.ndarray:
    """Results for arrays of operands by port name (a scalar counts for all), in order.

    `unit` is the exported design of COPIES lanes. Of ports that they have in common every COPIES-th element
    counts. AssertionError if a result stands in any other cycle than `depth` after its operands.
    """
    names, arrays = list(operands), np.broadcast_arrays(*operands.values())
    random, count = generator(), len(arrays[0])
    full = -(-count // COPIES)
    rows = full + full // 8 + depth + 1
    assert rows <= 1 << _LOG_ROWS, f"{count} operands are too many for one run"
    # idle cycles carry random operands, which no register may take
    stimulus = random.integers(0, 1 << 32, (rows, 1 + COPIES * len(names)), dtype=np.uint32)
    busy = np.sort(random.permutation(rows - depth - 1)[:full])
    stimulus[:, 0] = 0
    stimulus[busy, 0] = 1
    for k, array in enumerate(arrays):
        padded = np.zeros(full * COPIES, np.uint32)
        padded[:count] = array
        stimulus[busy, 1 + k * COPIES:1 + (k + 1) * COPIES] = padded.reshape(full, COPIES)
    _write_hex(tmp_path / "stimulus.hex", stimulus)
    _write_hex(tmp_path / "rows.hex", np.array([[rows]], np.uint32))
    directory = build(Sources("player", {"unit.v": unit.text, "player.v": _wrapper(unit, names)}))
    run(directory, "tb.tb_player", test_dir=tmp_path)
    lines = (line for line in (tmp_path / "answers.hex").read_text().split() if not line.startswith("//"))
    answers = np.frombuffer(bytes.fromhex("".join(lines)), dtype=">u4").reshape(rows, 1 + COPIES)
    assert np.array_equal(np.flatnonzero(answers[:, 0]), busy + depth)
    return answers[busy + depth, 1:].astype(np.uint32).ravel()[:count]


def _wrapper(unit, names):
    """Word 0 of a stimulus row is valid, then come the operands, name by name and copy by copy."""
    words = 1 + COPIES * len(names)
    pins = {"clk": "clk", "rst": "rst", "valid": _word(0, words, 1)}
    for k, name in enumerate(names):
        width = unit.ports[unit.top][name][1]
        copies = 1 if name in SHARED else COPIES
        nets = [_word(1 + k * COPIES + copy, words, width // copies) for copy in reversed(range(copies))]
        pins[name] = f"{{{', '.join(nets)}}}"
    results = [f"answered[{32 * k} +: 32]" for k in range(COPIES)]
    pins["result"] = f"{{{', '.join(results)}}}"
    pins["result_valid"] = f"answered[{32 * COPIES}]"
    lines = [
        f"  {unit.top} unit({', '.join(f'.{pin}({net})' for pin, net in pins.items())});",
        f"  assign answered[{32 * COPIES + 1} +: 31] = 0;",
    ]
    return _TOP.format(width=32 * words, answer=32 * (1 + COPIES), log=_LOG_ROWS, last=(1 << _LOG_ROWS) - 1,
                       units="\n".join(lines))


def _word(index, words, width):
    return f"row[{32 * (words - 1 - index)} +: {width}]"


def _write_hex(path, rows):
    text, digits = rows.astype(">u4").tobytes().hex(), 8 * rows.shape[1]
    path.write_text("\n".join(text[k:k + digits] for k in range(0, len(text), digits)) + "\n")
