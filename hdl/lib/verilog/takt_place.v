// SLOTS words of WIDTH bits, of which one is replaced while `en` is high.
module takt_place #(
  parameter WIDTH = 8,
  parameter SLOTS = 2
) (
  input en,
  input [SLOTS*WIDTH-1:0] words,
  input [$clog2(SLOTS)-1:0] slot,
  input [WIDTH-1:0] word,
  output reg [SLOTS*WIDTH-1:0] placed
);
  always @* begin
    placed = words;
    if (en) placed[slot*WIDTH +: WIDTH] = word;
  end
endmodule
