"""Plays frames through the two halves of a link in Verilator (`hdl.c2c.bare`), back to back, each spoiled in its own way."""

from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from hdl.export import Verilog
from sw.arch.config import Config
from sw.arch.frame import NUMBERS
from sw.arch.hostmap import Fault
from sw.arch.links import frame_words
from tb.harness import Sources, build, run

#: Frames of one run of the simulator.
FRAMES = 1 << 15

_BENCH = """
module frames(input clk, input rst, output reg done);
  reg [{width}-1:0] stimulus [0:{last}];
  reg [{answer}-1:0] answers [0:{last}];
  reg [31:0] rows [0:0];
  reg [31:0] sent, come, at;
  wire [{width}-1:0] row = stimulus[sent[{log}-1:0]];
  wire [{answer}-1:0] answered;
  wire valid;
  {top} halves(
    .clk(clk), .rst(rst), .send(!rst && sent < rows[0] && at == 0), .number(row[{noise} +: 12]),
    .vector(row[{noise} + 16 +: {vector}]), .noise(row[at * {word} +: {word}]), .valid(valid),
    .result(answered[{vector}-1:0]), .mended(answered[{vector} +: 2]), .fault(answered[{vector} + 8 +: {code}])
  );
  assign answered[{vector} + 2 +: 6] = 0, answered[{answer}-1:{vector} + 8 + {code}] = 0;
  initial begin
    $readmemh("stimulus.hex", stimulus);
    $readmemh("rows.hex", rows);
  end
  always @(posedge clk)
    if (rst) begin
      sent <= 0;
      come <= 0;
      at <= 0;
      done <= 0;
    end else begin
      at <= at == {frame} - 1 ? 0 : at + 1;
      if (at == {frame} - 1 && sent < rows[0]) sent <= sent + 1;
      if (valid) begin
        answers[come[{log}-1:0]] <= answered;
        come <= come + 1;
      end
      if (come == rows[0] && !done) begin
        $writememh("answers.hex", answers, 0, rows[0] - 1);
        done <= 1;
      end
    end
endmodule
"""


@dataclass(frozen=True)
class Outcome:
    """Numbers of frames."""

    injected: int
    corrected: int
    detected: int
    silent: int

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Taken:
    """What a receive half made of frames: vectors uint8 [n, VL], codewords that it corrected in each, and which are faults."""

    vectors: np.ndarray
    corrected: np.ndarray
    faults: np.ndarray

    def judged(self, sent: np.ndarray) -> "Outcome":
        """How many frames came right, with corrections or without, were found to be lost, or are wrong and nobody says so."""
        right = (self.vectors == sent).all(axis=1) & ~self.faults
        mended = right & (self.corrected > 0)
        return Outcome(len(sent), int(mended.sum()), int(self.faults.sum()), int((~right & ~self.faults).sum()))


def play(design: Verilog, c: Config, vectors: np.ndarray, numbers: np.ndarray, noise: np.ndarray, folder: Path) -> Taken:
    """Sends vectors uint8 [n, VL] as frames of these numbers, spoiled by the bits of `noise`, uint8 [n, VL + 8]; each is
    expected under its number. `design` is an exported `BareLink`."""
    built = _build(design, c)
    parts = []
    for begin in range(0, len(vectors), FRAMES):
        rows = slice(begin, begin + FRAMES)
        where = folder / f"frames_{begin}"
        where.mkdir(parents=True)
        labels = (np.asarray(numbers[rows]) % NUMBERS).astype("<u2")
        table = np.concatenate([noise[rows], labels.view(np.uint8).reshape(-1, 2), vectors[rows]], axis=1)
        _write(where / "stimulus.hex", table)
        (where / "rows.hex").write_text(f"{len(table):x}\n")
        run(built, "tb.tb_player", test_dir=where)
        lines = [line for line in (where / "answers.hex").read_text().split() if line[0] != "/"]
        answers = np.frombuffer(bytes.fromhex("".join(lines)), np.uint8).reshape(len(table), -1)[:, ::-1]
        for name in ("stimulus.hex", "answers.hex"):
            (where / name).unlink()
        parts.append(answers)
    found = np.concatenate(parts)
    mended, codes = found[:, c.vl], found[:, c.vl + 1]
    assert set(np.unique(codes)) <= {Fault.NONE, Fault.LINK_FRAME}
    return Taken(found[:, : c.vl], (mended & 1).astype(int) + (mended >> 1), codes != Fault.NONE)


def _build(design: Verilog, c: Config) -> Path:
    text = _BENCH.format(
        top=design.top,
        width=8 * (2 * c.vl + 10),
        answer=8 * (c.vl + 2),
        last=FRAMES - 1,
        log=FRAMES.bit_length() - 1,
        noise=8 * (c.vl + 8),
        vector=8 * c.vl,
        word=8 * c.c2c.link_bytes,
        frame=frame_words(c),
        code=design.ports[design.top]["fault"][1],
    )
    return build(Sources("frames", {f"{design.top}.v": design.text, "frames.v": text}))


def _write(path: Path, table: np.ndarray) -> None:
    """Rows of bytes, the first lowest, as hexadecimal numbers."""
    digits = np.ascontiguousarray(table[:, ::-1]).tobytes().hex()
    size = 2 * table.shape[1]
    path.write_text("\n".join(digits[k : k + size] for k in range(0, len(digits), size)) + "\n")
