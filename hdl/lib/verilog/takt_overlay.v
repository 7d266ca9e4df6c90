// A register of SLOTS words of WIDTH bits that takes `words`, each entry whose `en` is high laid over word number `slot`.
//
// Indexed part-selects simulate several times faster; of the loop over words, synthesis makes multiplexers instead of
// shifters as wide as all words.
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
`ifdef VERILATOR
  reg [SLOTS*WIDTH-1:0] next;
  integer i;
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
  integer i, k;
  always @(posedge clk)
    for (k = 0; k < SLOTS; k = k + 1) begin
      placed[k*WIDTH +: WIDTH] <= words[k*WIDTH +: WIDTH];
      for (i = 0; i < ENTRIES; i = i + 1)
        if (en[i] && slot[i*$clog2(SLOTS) +: $clog2(SLOTS)] == k)
          placed[k*WIDTH +: WIDTH] <= word[i*WIDTH +: WIDTH];
    end
`endif
endmodule
