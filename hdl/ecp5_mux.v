// Wide multiplexers of ECP5: two LUT4 and a PFUMX choose one of four, L6MUX21 join such for 8 and 16.
(* techmap_celltype = "$_MUX4_" *)
module ecp5_mux4(input A, B, C, D, S, T, output Y);
  wire low, high;
  LUT4 #(.INIT(16'hCACA)) lut_low(.A(A), .B(B), .C(S), .D(1'b0), .Z(low));
  LUT4 #(.INIT(16'hCACA)) lut_high(.A(C), .B(D), .C(S), .D(1'b0), .Z(high));
  PFUMX join_luts(.ALUT(high), .BLUT(low), .C0(T), .Z(Y));
endmodule
(* techmap_celltype = "$_MUX8_" *)
module ecp5_mux8(input A, B, C, D, E, F, G, H, S, T, U, output Y);
  wire low, high;
  \$_MUX4_ mux_low(.A(A), .B(B), .C(C), .D(D), .S(S), .T(T), .Y(low));
  \$_MUX4_ mux_high(.A(E), .B(F), .C(G), .D(H), .S(S), .T(T), .Y(high));
  L6MUX21 join_muxes(.D0(low), .D1(high), .SD(U), .Z(Y));
endmodule
(* techmap_celltype = "$_MUX16_" *)
module ecp5_mux16(input A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, S, T, U, V, output Y);
  wire low, high;
  \$_MUX8_ mux_low(.A(A), .B(B), .C(C), .D(D), .E(E), .F(F), .G(G), .H(H), .S(S), .T(T), .U(U), .Y(low));
  \$_MUX8_ mux_high(.A(I), .B(J), .C(K), .D(L), .E(M), .F(N), .G(O), .H(P), .S(S), .T(T), .U(U), .Y(high));
  L6MUX21 join_muxes(.D0(low), .D1(high), .SD(V), .Z(Y));
endmodule
