// One of SLOTS words of WIDTH bits, or zero while `en` is low.
module takt_pick #(
  parameter WIDTH = 8,
  parameter SLOTS = 2
) (
  input en,
  input [SLOTS*WIDTH-1:0] words,
  input [$clog2(SLOTS)-1:0] slot,
  output reg [WIDTH-1:0] word
);
  always @* begin
    word = {WIDTH{1'b0}};
    if (en) word = words[slot*WIDTH +: WIDTH];
  end
endmodule
