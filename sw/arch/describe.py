"""Every entry of a configuration: what it means and may be. `docs/config.md` is made of it."""

import json
from dataclasses import dataclass

from sw.arch.config import PRESETS, Config, load


@dataclass(frozen=True)
class Entry:
    """One entry of the TOML file. `low` and `high` bound a number, which may have to be a power of two."""

    name: str
    meaning: str
    low: int | None = None
    high: int | None = None
    power_of_two: bool = False
    #: What else it must be, or what it may be if it is no number.
    rule: str = ""
    default: str = ""

    @property
    def limits(self) -> str:
        """What it may be, in words."""
        number = f"{self.low} to {self.high}" if self.low is not None else ""
        number = f"a power of two from {number}" if self.power_of_two else number
        return ", ".join(filter(None, (number, self.rule)))

    def of(self, c: Config):
        """Its value in a configuration."""
        value = c
        for step in self.name.split("."):
            value = getattr(value, step)
        return value


ENTRIES = (
    Entry("lanes", "bytes of a superlane's word", 4, 16, True),
    Entry("superlanes", "superlanes, south to north; a vector has lanes x superlanes bytes", 1, 32),
    Entry(
        "streams", "streams of each direction", 8, 64, True, "at least `lanes`, for TRANSPOSE; 16 for ROTATE"
    ),
    Entry("queue_words", "words of every instruction queue, boot part and ring together", 32, 4096, True),
    Entry("mem.slices", "MEM slices of each hemisphere", 1, 64, rule="a multiple of `mem.slices_per_stop`"),
    Entry("mem.slices_per_stop", "slices that share a stop", 1, 8),
    Entry("mem.words", "words of a slice, both banks together", 16, 16384, True),
    Entry("vxm.rows", "rows of ALUs in each lane; row r reaches stream groups SG4[2r … 2r+3]", 1, 4),
    Entry("vxm.ranks", "ALUs in a row; ALU number = ranks * row + rank", 1, 4),
    Entry(
        "vxm.float_alus", "ALUs with fp32 add, sub and mul, integer mul, and conversions", rule="ALU numbers"
    ),
    Entry("vxm.special_alus", "ALUs with exp2, log2, rsqrt, recip and tanh", rule="ALU numbers"),
    Entry("mxm.west", "matrix planes of the west hemisphere, each VL x VL", 0, 4),
    Entry("mxm.east", "matrix planes of the east hemisphere", 0, 4),
    Entry("mxm.types", "types that the planes multiply", rule='"int8", "fp16" or both'),
    Entry("mxm.fp16_interval", "cycles that an fp16 pass occupies a plane", rule="1, 2 or 4", default="1"),
    Entry("mxm.acc_rows", "accumulator rows of a plane", 64, 4096, default="64"),
    *(
        Entry(f"sxm.{engine}", f"{engine} engines of each hemisphere", 0, 8)
        for engine in ("shift", "permute", "distribute", "rotate", "transpose", "reduce")
    ),
    Entry("c2c.links", "links of each hemisphere", 0, 16, default="0"),
    Entry("c2c.link_bytes", "bytes of a word on a link", rule="4 or 8, at most `lanes`", default="8"),
    Entry("c2c.ppm", "how far a chip's clock may be off, in millionths", 1, 1000, default="100"),
    Entry("c2c.stretch", "cycles between two alignments of chips, at the most", 1000, 1_000_000, default="20000"),
    Entry("ecc.streams", "SECDED on words in streams and SRAM", rule="true or false", default="true"),
    Entry("ecc.accumulators", "SECDED on accumulators", rule="true or false", default="true"),
    Entry("ecc.queues", "parity on queue memories", rule="true or false", default="true"),
)

_HEAD = """# Configuration

This page is made from `sw/arch` by `make docs`; do not edit it. A chip is described by one TOML file, from
which hardware, golden model, assembler and checker are made alike. `--config` takes a file or one of the
presets {presets}, whose files lie in `sw/arch/presets`. Entries with a dot
stand in a table: `mem.words` is `words` in `[mem]`. A file that is not right is refused with a sentence that
names the entry, the value and the limit.

"""


def config_page() -> str:
    """The page: all entries, and their values in the presets."""
    chips = [load(name) for name in PRESETS]
    lines = ["| entry | meaning | may be | default |", "| --- | --- | --- | --- |"]
    lines += [f"| `{e.name}` | {e.meaning} | {e.limits} | {e.default} |" for e in ENTRIES]
    lines += ["", "## Presets", "", f"| entry | {' | '.join(PRESETS)} |", "| --- |" + " --- |" * len(PRESETS)]
    for entry in ENTRIES:
        lines.append(f"| `{entry.name}` | {' | '.join(json.dumps(entry.of(c)) for c in chips)} |")
    head = _HEAD.format(presets=", ".join(f"`{name}`" for name in PRESETS))
    return head + "\n".join(lines) + "\n"
