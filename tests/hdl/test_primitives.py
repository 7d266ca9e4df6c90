"""Verilog written by hand means the same to simulators and to synthesis, wherever it means anything."""

from importlib import resources

import pytest
from pyosys import libyosys as ys

FOLDER = resources.files("hdl.lib") / "verilog"
#: What users keep to: entries on one word at once are an error, a word picked without `en` means nothing.
USES = {
    "overlay": """
    module {form}_use(input clk, input [{slots}*{width}-1:0] words, input [{entries}-1:0] en,
        input [{entries}*{bits}-1:0] slot, input [{entries}*{width}-1:0] word, output [{slots}*{width}-1:0] placed);
      reg [{entries}-1:0] alone;
      integer i, j;
      always @* begin
        alone = en;
        for (i = 0; i < {entries}; i = i + 1)
          for (j = 0; j < i; j = j + 1)
            if (slot[i*{bits} +: {bits}] == slot[j*{bits} +: {bits}] && alone[j]) alone[i] = 0;
      end
      {form} used(.clk(clk), .words(words), .en(alone), .slot(slot), .word(word), .placed(placed));
    endmodule
    """,
    "pick": """
    module {form}_use(input en, input [{slots}*{width}-1:0] words, input [{bits}-1:0] slot, output [{width}-1:0] word);
      wire [{width}-1:0] picked;
      {form} used(.en(en), .words(words), .slot(slot), .word(picked));
      assign word = en ? picked : 0;
    endmodule
    """,
}


@pytest.mark.parametrize(
    ("name", "width", "slots", "entries"),
    [("overlay", 8, 2, 1), ("overlay", 9, 4, 3), ("overlay", 3, 8, 2), ("overlay", 1, 16, 4)]
    + [("pick", 8, 2, 0), ("pick", 9, 4, 0), ("pick", 3, 16, 0)],
)
def test_both_forms_are_proven_the_same(name, width, slots, entries, tmp_path):
    design, bits = ys.Design(), (slots - 1).bit_length()
    for form, define in (("synthesis", ""), ("simulation", "-DVERILATOR")):
        use = tmp_path / f"{form}.v"
        use.write_text(USES[name].format(form=form, width=width, slots=slots, entries=entries, bits=bits))
        sizes = {"WIDTH": width, "SLOTS": slots} | ({"ENTRIES": entries} if entries else {})
        for command in (
            f"read_verilog {define} {FOLDER / f'takt_{name}.v'}",
            f"chparam {' '.join(f'-set {key} {value}' for key, value in sizes.items())} takt_{name}",
            f"rename takt_{name} {form}",
            f"read_verilog {use}",
        ):
            ys.Pass.call(design, f"tee -q {command}")
    for command in (
        "proc",
        "flatten",
        "opt",
        "miter -equiv -flatten -make_outputs synthesis_use simulation_use miter",
        "hierarchy -top miter",
        # The registers are equal from the first clock edge on.
        "sat -verify -tempinduct -seq 1 -prove trigger 0 miter",
    ):
        ys.Pass.call(design, f"tee -q {command}")
