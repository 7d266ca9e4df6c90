// Clock of a unit that has nothing to do in some cycles: `gclk` has the edges of `clk` before which `en` was high.
//
// With TAKT_GATED_CLOCKS it is a latch and a gate, which an idle unit's simulation time and power follow; a chip's
// designer puts the library's cell here. Without, and so on an FPGA, the clock runs on. Units answer alike both ways,
// since none of their registers changes while `en` is low.
module takt_clock_gate(input clk, input en, output gclk);
`ifdef TAKT_GATED_CLOCKS
  reg open;
  /* verilator lint_off LATCH */
  always @(clk or en) if (!clk) open = en;
  /* verilator lint_on LATCH */
  assign gclk = clk & open;
`else
  assign gclk = clk;
`endif
endmodule
