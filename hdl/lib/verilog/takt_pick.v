// One of SLOTS words of WIDTH bits, of use while `en` is high: simulation computes nothing otherwise, hardware what it likes.
module takt_pick #(
  parameter WIDTH = 8,
  parameter SLOTS = 2
) (
  input en,
  input [SLOTS*WIDTH-1:0] words,
  input [$clog2(SLOTS)-1:0] slot,
  output reg [WIDTH-1:0] word
);
`ifdef VERILATOR
  always @* begin
    word = {WIDTH{1'b0}};
    if (en) word = words[slot*WIDTH +: WIDTH];
  end
`else
  always @* word = words[slot*WIDTH +: WIDTH];
`endif
endmodule
