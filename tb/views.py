"""Waves of a traced run and views of them: a save file for GTKWave and a command file for Surfer.

Both views show every queue that the program uses, every stream that it drives, where it is driven in superlane 0,
and every stream that it writes to memory, where it is written.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sw.arch.floorplan import Unit
from sw.arch.stream import Stream
from sw.asm.image import Image
from sw.asm.timeline import timeline

#: Scope of the core in a traced simulation of `tb.machine.build_chip`.
CORE = "chip.core"
#: Where scripts keep waves.
WAVES = Path("build/waves")


@dataclass(frozen=True)
class Group:
    """Traced variables under one heading: label of each and its path, with a bit range where it is a part."""

    title: str
    signals: dict[str, str]


def groups(image: Image) -> tuple[Group, ...]:
    """What is worth seeing: clock, queues, streams as they are driven, and results as they are written."""
    c = image.config
    queues, streams, results = {}, {}, {}
    for burst in timeline(image).bursts:
        unit = burst.queue.unit
        for op in burst.word:
            if op.instr.slot == "icu":
                continue
            name = burst.queue.name
            for what in ("valid", "word"):
                queues[f"{name} {what}"] = f"{CORE}.{name.lower()}_queue.issue__{what}"
            for shown, uses in ((streams, op.drives(c)), (results, op.reads(c) * (op.instr.slot == "write"))):
                for first, count in uses:
                    for code in range(first, first + count):
                        driven = shown is streams
                        way, stream = "to" if driven else "from", Stream.of(code, c.streams)
                        label = f"{unit.name} {op.instr.name} {way} {stream}"
                        shown[label] = _register(image, unit, stream, driven)
    ends = {"clock": f"{CORE}.clk", "every queue has halted": f"{CORE}.halted"}
    return (
        Group("Program", ends),
        Group("Queues", queues),
        Group("Streams", streams),
        Group("Results", results),
    )


def write_views(image: Image, waves: Path) -> tuple[Path, Path]:
    """Writes a GTKWave save file and a Surfer command file beside the FST file `waves`; gives their paths."""
    gtkwave, surfer = waves.with_suffix(".gtkw"), waves.with_suffix(".sucl")
    save, commands = [f'[dumpfile] "{waves.resolve()}"'], []
    for group in groups(image):
        # @200 is a comment, @22 hexadecimal; the digits are GTKWave's trace flags.
        save += ["@200", f"-{group.title}"]
        commands.append(f"divider_add {group.title}")
        for label, path in group.signals.items():
            save += ["@22", f"+{{{label}}} {path}"]
            commands.append(f"variable_add {path.partition('[')[0]}")
    gtkwave.write_text("\n".join([*save, ""]))
    surfer.write_text("\n".join([*commands, "zoom_fit", ""]))
    return gtkwave, surfer


def keep_waves(image: Image, traced: Path, name: str) -> str:
    """Moves an FST file to WAVES under a name, with views of it; a sentence on how to open them."""
    WAVES.mkdir(parents=True, exist_ok=True)
    waves = Path(shutil.move(traced, WAVES / f"{name}.fst"))
    gtkwave, surfer = write_views(image, waves)
    return f"Waves: gtkwave {gtkwave}, or surfer -c {surfer} {waves}"


def _register(image: Image, unit: Unit, stream: Stream, driven: bool) -> str:
    """The bits of a stream in the register that `unit` drives, or in the one that it reads."""
    c = image.config
    # Registers belong to the stop that drives them: a reader's is the next one upstream.
    stop = unit.stop + (0 if driven else 1 if stream.west else -1)
    low = 8 * c.lanes * stream.index
    side = "west" if stream.west else "east"
    return f"{CORE}.row_0.cell_{stop}.stop.{side}[{low + 8 * c.lanes - 1}:{low}]"
