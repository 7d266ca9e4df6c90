"""Modules written straight in Verilog mean the same to simulators and to synthesis, where their users keep the rules."""

import pytest
from pyosys import libyosys as ys

from hdl.lib.slots import Overlay, Pick


def prove(unit: Overlay | Pick, body: str, tmp_path) -> None:
    """Both forms of a unit, each wrapped in `body`, a module `wrapped` with the unit's name for {unit}, answer alike."""
    design = ys.Design()
    for form, define in (("synthesis", ""), ("simulation", "-DVERILATOR")):
        path = tmp_path / f"{form}.v"
        path.write_text(unit.text() + body.format(unit=unit.name))
        for command in (
            f"read_verilog {define} {path}",
            "hierarchy -top wrapped",
            "proc",
            "flatten",
            "opt -full",
            f"design -stash {form}",
        ):
            ys.Pass.call(design, f"tee -q {command}")
    for command in (
        *(f"design -copy-from {form} -as {form} wrapped" for form in ("synthesis", "simulation")),
        "miter -equiv -flatten -make_outputs synthesis simulation miter",
        "hierarchy -top miter",
        # Registers are equal from the first clock edge on.
        "sat -verify -tempinduct -seq 1 -prove trigger 0 miter",
    ):
        ys.Pass.call(design, f"tee -q {command}")


@pytest.mark.parametrize(("width", "slots", "entries"), [(8, 2, 1), (9, 4, 3), (3, 8, 2), (1, 16, 4)])
def test_overlay(width, slots, entries, tmp_path):
    """An entry that would meet an earlier one on one word is kept away."""
    bits = (slots - 1).bit_length()
    at = [f"slot[{k * bits} +: {bits}]" for k in range(entries)]
    alone = [" & ".join([f"en[{k}]", *(f"~(en[{j}] & {at[j]} == {at[k]})" for j in range(k))]) for k in range(entries)]
    pins = [f".en_{k}(alone[{k}]), .slot_{k}({at[k]}), .word_{k}(word[{k * width} +: {width}])" for k in range(entries)]
    prove(
        Overlay(width, slots, entries),
        f"""
module wrapped (
  input clk, input [{slots * width - 1}:0] words, input [{entries - 1}:0] en, input [{entries * bits - 1}:0] slot,
  input [{entries * width - 1}:0] word, output [{slots * width - 1}:0] placed
);
  wire [{entries - 1}:0] alone = {{{{{", ".join(reversed(alone))}}}}};
  {{unit}} it(.clk(clk), .words(words), .placed(placed), {", ".join(pins)});
endmodule
""",
        tmp_path,
    )


@pytest.mark.parametrize(("width", "slots"), [(8, 2), (5, 8), (1, 32)])
def test_pick(width, slots, tmp_path):
    """What stands in `word` counts while `en` is high."""
    words = slots * width - 1
    prove(
        Pick(width, slots),
        f"""
module wrapped (
  input en, input west, input [{words}:0] east_words, input [{words}:0] west_words,
  input [{(slots - 1).bit_length() - 1}:0] slot, output [{width - 1}:0] word
);
  wire [{width - 1}:0] picked;
  assign word = picked & {{{{{width}{{{{en}}}}}}}};
  {{unit}} it(.en(en), .west(west), .east_words(east_words), .west_words(west_words), .slot(slot), .word(picked));
endmodule
""",
        tmp_path,
    )
