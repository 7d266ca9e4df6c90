"""The one configuration: a TOML file that describes a chip, validated in sentences.

Everything that is built or programmed takes a `Config`; nothing else says how large a chip is.
"""

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

PRESETS = ("tiny", "fpga", "small", "linked", "full")


class ConfigError(ValueError):
    """A configuration that no chip can have; the text names the value and the limit."""


@dataclass(frozen=True, kw_only=True)
class Mem:
    """SRAM slices. `slices` counts one hemisphere; `words` counts both banks of a slice."""

    slices: int
    slices_per_stop: int
    words: int


@dataclass(frozen=True, kw_only=True)
class Vxm:
    """Vector unit: `rows` x `ranks` ALUs a lane. ALU number = ranks*row + rank.

    `float_alus` have the four-stage class (fp32 add/sub/mul, integer mul, conversions);
    `special_alus` have exp2, log2, rsqrt, recip and tanh.
    """

    rows: int
    ranks: int
    float_alus: tuple[int, ...]
    special_alus: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Mxm:
    """Matrix planes of VL x VL, `west` and `east` of them, for `types` out of int8 and fp16."""

    west: int
    east: int
    types: tuple[str, ...]
    fp16_interval: int = 1
    acc_rows: int = 64


@dataclass(frozen=True, kw_only=True)
class Sxm:
    """Switch unit: engines of each kind in one hemisphere."""

    shift: int
    permute: int
    distribute: int
    rotate: int
    transpose: int
    reduce: int


@dataclass(frozen=True, kw_only=True)
class C2c:
    """Links between chips. `links` counts one hemisphere's; a word of a link has `link_bytes`; clocks are up to `ppm`
    millionths off, and run for up to `stretch` cycles between two alignments.
    """

    links: int = 0
    link_bytes: int = 8
    ppm: int = 100
    stretch: int = 20000


@dataclass(frozen=True, kw_only=True)
class Ecc:
    """SECDED on words in streams and SRAM, on accumulators; parity on queue memories."""

    streams: bool = True
    accumulators: bool = True
    queues: bool = True


@dataclass(frozen=True, kw_only=True)
class Config:
    """A chip. `streams` counts one direction; `queue_words` is the depth of every instruction queue, boot part and ring
    together."""

    name: str
    lanes: int
    superlanes: int
    streams: int
    queue_words: int
    mem: Mem
    vxm: Vxm
    mxm: Mxm
    sxm: Sxm
    c2c: C2c = field(default_factory=C2c)
    ecc: Ecc = field(default_factory=Ecc)

    def __post_init__(self):
        _validate(self)

    @property
    def vl(self) -> int:
        """Bytes of one vector: lanes * superlanes."""
        return self.lanes * self.superlanes

    @property
    def bank_words(self) -> int:
        """Words of one of the two banks of a slice; bank 1 starts here."""
        return self.mem.words // 2

    @property
    def alus(self) -> int:
        """ALUs of the vector unit in each lane."""
        return self.vxm.rows * self.vxm.ranks

    def __hash__(self) -> int:
        # Tables are cached by configuration, so this is asked for very often.
        return self.hash

    @cached_property
    def hash(self) -> int:
        """32 bits that differ when anything but the name differs; images carry it."""
        text = json.dumps(dataclasses.asdict(self) | {"name": ""}, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")

    def replace(self, **changes) -> "Config":
        """A variant; a change may be a dict for one of the groups (`mem={"words": 64}`)."""
        merged = {
            name: dataclasses.replace(getattr(self, name), **change) if isinstance(change, dict) else change
            for name, change in changes.items()
        }
        return dataclasses.replace(self, **merged)


_GROUPS = {"mem": Mem, "vxm": Vxm, "mxm": Mxm, "sxm": Sxm, "c2c": C2c, "ecc": Ecc}


def load(name_or_path: str | Path) -> Config:
    """A preset by name, or a TOML file by path. ConfigError in a sentence for anything wrong."""
    if str(name_or_path) in PRESETS:
        source = resources.files("sw.arch") / "presets" / f"{name_or_path}.toml"
        return parse(source.read_text(), str(name_or_path))
    path = Path(name_or_path)
    if not path.is_file():
        raise ConfigError(f"Configuration '{name_or_path}' is neither a preset ({', '.join(PRESETS)}) nor a file.")
    return parse(path.read_text(), path.stem)


def parse(text: str, name: str) -> Config:
    """A configuration from TOML text; `name` is used when the text gives none."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"Configuration '{name}' is not TOML: {error}.") from error
    values = {"name": name} | {key: value for key, value in raw.items() if key not in _GROUPS}
    for group, kind in _GROUPS.items():
        if group in raw:
            values[group] = _make(kind, raw[group], f"[{group}] of configuration '{name}'")
    return _make(Config, values, f"Configuration '{name}'")


def _make(kind, values: dict, where: str):
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be a table, found {values!r}.")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            raise ConfigError(f"{where} has no entry '{key}'; it may have {', '.join(fields)}.")
    for key, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and key not in values:
            raise ConfigError(f"{where} lacks the entry '{key}'.")
    for key, value in values.items():
        if isinstance(value, list):
            values = values | {key: tuple(value)}
    for key, value in values.items():
        expected = fields[key].type
        if expected in (int, bool, str) and type(value) is not expected:
            raise ConfigError(f"{where}: {key} is {value!r}, it must be of type {expected.__name__}.")
        if str(expected).startswith("tuple") and not isinstance(value, tuple):
            raise ConfigError(f"{where}: {key} is {value!r}, it must be a list.")
    return kind(**values)


def _validate(c: Config) -> None:
    def need(good: bool, sentence: str) -> None:
        if not good:
            raise ConfigError(f"Configuration '{c.name}': {sentence}")

    def power_of_two(what: str, value: int, low: int, high: int) -> None:
        need(
            low <= value <= high and value & (value - 1) == 0,
            f"{what} is {value}, it must be a power of two from {low} to {high}.",
        )

    def within(what: str, value: int, low: int, high: int) -> None:
        need(low <= value <= high, f"{what} is {value}, it must be from {low} to {high}.")

    power_of_two("lanes", c.lanes, 4, 16)
    within("superlanes", c.superlanes, 1, 32)
    power_of_two("streams", c.streams, 8, 64)
    need(c.streams >= c.lanes, f"streams is {c.streams}, it must be at least lanes ({c.lanes}) for TRANSPOSE.")
    power_of_two("queue_words", c.queue_words, 32, 4096)
    within("mem.slices", c.mem.slices, 1, 64)
    within("mem.slices_per_stop", c.mem.slices_per_stop, 1, 8)
    need(
        c.mem.slices % c.mem.slices_per_stop == 0,
        f"mem.slices is {c.mem.slices}, it must be a multiple of mem.slices_per_stop ({c.mem.slices_per_stop}).",
    )
    power_of_two("mem.words", c.mem.words, 16, 16384)
    within("vxm.rows", c.vxm.rows, 1, 4)
    within("vxm.ranks", c.vxm.ranks, 1, 4)
    for kind in ("float_alus", "special_alus"):
        for alu in getattr(c.vxm, kind):
            need(type(alu) is int, f"vxm.{kind} holds {alu!r}, it must hold ALU numbers.")
            within(f"an entry of vxm.{kind}", alu, 0, c.alus - 1)
    within("mxm.west", c.mxm.west, 0, 4)
    within("mxm.east", c.mxm.east, 0, 4)
    need(bool(c.mxm.types), "mxm.types is empty, it must name int8, fp16 or both.")
    for kind in c.mxm.types:
        need(kind in ("int8", "fp16"), f"mxm.types holds {kind!r}, it may hold int8 and fp16.")
    need(c.mxm.fp16_interval in (1, 2, 4), f"mxm.fp16_interval is {c.mxm.fp16_interval}, it must be 1, 2 or 4.")
    within("mxm.acc_rows", c.mxm.acc_rows, 64, 4096)
    for kind in ("shift", "permute", "distribute", "rotate", "transpose", "reduce"):
        within(f"sxm.{kind}", getattr(c.sxm, kind), 0, 8)
    within("c2c.links", c.c2c.links, 0, 16)
    within("c2c.ppm", c.c2c.ppm, 1, 1000)
    within("c2c.stretch", c.c2c.stretch, 1000, 1_000_000)
    need(c.c2c.link_bytes in (4, 8), f"c2c.link_bytes is {c.c2c.link_bytes}, it must be 4 or 8.")
    if c.c2c.links:
        need(c.c2c.link_bytes <= c.lanes, f"c2c.link_bytes is {c.c2c.link_bytes}, it must be at most lanes ({c.lanes}).")
        need(c.vl <= 496, f"a vector has {c.vl} lanes, the code of a link takes at most 496.")
    need(not c.sxm.rotate or c.streams >= 16, f"streams is {c.streams}, sxm.rotate needs at least 16.")
