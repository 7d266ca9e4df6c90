// A register of SLOTS words of WIDTH bits that takes `words`, each entry whose `en` is high laid over word number `slot`.
// Two such entries with one slot are an error of the user, and that word is anything.
//
// Indexed part-selects simulate several times faster; of words gated by their enables, synthesis makes fewer LUTs.
module takt_overlay #(
  parameter WIDTH = 8,
  parameter SLOTS = 2,
  parameter ENTRIES = 1
) (
  input clk,
  input [SLOTS*WIDTH-1:0] words,
  input [ENTRIES-1:0] en,
  input [ENTRIES*$clog2(SLOTS)-1:0] slot,
  input [ENTRIES*WIDTH-1:0] word,
  output reg [SLOTS*WIDTH-1:0] placed
);
  reg [SLOTS*WIDTH-1:0] next;
  integer i;
`ifdef VERILATOR
  // `next` is a variable of this block alone: an intermediate value, no register.
  /* verilator lint_off BLKSEQ */
  always @(posedge clk) if (en == 0) placed <= words; else begin
    next = words;
    for (i = 0; i < ENTRIES; i = i + 1)
      if (en[i]) next[slot[i*$clog2(SLOTS) +: $clog2(SLOTS)]*WIDTH +: WIDTH] = word[i*WIDTH +: WIDTH];
    placed <= next;
  end
  /* verilator lint_on BLKSEQ */
`else
  integer k;
  reg here, over;
  always @* begin
    for (k = 0; k < SLOTS; k = k + 1) begin
      next[k*WIDTH +: WIDTH] = {WIDTH{1'b0}};
      over = 1'b0;
      for (i = 0; i < ENTRIES; i = i + 1) begin
        here = en[i] && slot[i*$clog2(SLOTS) +: $clog2(SLOTS)] == k;
        next[k*WIDTH +: WIDTH] = next[k*WIDTH +: WIDTH] | (word[i*WIDTH +: WIDTH] & {WIDTH{here}});
        over = over | here;
      end
      next[k*WIDTH +: WIDTH] = next[k*WIDTH +: WIDTH] | (words[k*WIDTH +: WIDTH] & {WIDTH{!over}});
    end
  end
  always @(posedge clk) placed <= next;
`endif
endmodule
