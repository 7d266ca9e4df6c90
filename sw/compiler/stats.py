"""What a program does with its chip, read off its image: how busy units are, what memory holds, what moves."""

from collections import Counter

from sw.arch.floorplan import floorplan
from sw.asm.image import Image
from sw.asm.timeline import Timeline, timeline
from sw.isa.rows.icu import fetch_words

#: What words of a slice are used for, first come first counted.
USES = ("tables", "text", "constants", "inputs", "results")


def statistics(image: Image) -> dict:
    """Plain data that JSON can hold, for one iteration.

    config : name of the chip
    cycles : of the iteration
    kinds : per kind of queue, how many queues, the words they issue for their units, and the mean and the greatest
        share of cycles in which a queue is busy, until it can take the next word
    queues : per queue that issues any, its words and its share of busy cycles, and its words in the boot part and in
        fetched text
    planes : per plane the share of cycles in which passes start or weights come in
    memory : per slice the words by use, see `USES`, and the free ones; tables are what GATHER and SCATTER may touch
    traffic : bytes that cross the ports of memories and that units put on streams, in all and a cycle, with the share
        of what the chip could do: of ports one read and one write a slice, of streams one vector a stream and cycle
    instructions : issues by name
    """
    c, line = image.config, timeline(image)
    cycles = line.cycles
    issued, busy, ops, driven = Counter(), Counter(), Counter(), 0
    for burst in line.bursts:
        name = burst.queue.name
        if burst.word[0].instr.slot == "icu":
            continue
        issued[name] += burst.count
        busy[name] += burst.count * max(_turn(op, c) for op in burst.word)
        for op in burst.word:
            ops[op.instr.name] += burst.count
            driven += burst.count * sum(count for _, count in op.drives(c))
    queues = _queues(image, line, issued, busy)
    slices = len(floorplan(c).slices)
    return {
        "config": c.name,
        "cycles": cycles,
        "kinds": _kinds(image, queues),
        "queues": queues,
        "planes": _planes(image, queues),
        "memory": _memory(image, line),
        "traffic": {
            "read": _rate((ops["READ"] + ops["GATHER"]) * c.vl, cycles, slices * c.vl),
            "written": _rate((ops["WRITE"] + ops["SCATTER"]) * c.vl, cycles, slices * c.vl),
            "streams": _rate(driven * c.vl, cycles, 2 * c.streams * c.vl),
        },
        "instructions": dict(sorted(ops.items())),
    }


def _turn(op, c) -> int:
    """Cycles that a queue is taken: an fp16 pass takes the plane longer than its issue."""
    return op.timing(c).turn if op.instr.cls == "MXM_A" else 1


def _queues(image: Image, line: Timeline, issued: Counter, busy: Counter) -> dict:
    fetched = {name: len(rows) * fetch_words(image.config) for name, rows in line.texts.items()}
    return {
        queue.name: {
            "issues": issued[queue.name],
            "busy": busy[queue.name] / line.cycles,
            "boot_words": len(image.boot[queue.name]),
            "fetched_words": fetched.get(queue.name, 0),
        }
        for queue in floorplan(image.config).queues
        if issued[queue.name]
    }


def _kinds(image: Image, queues: dict) -> dict:
    kinds: dict[str, dict] = {}
    for queue in floorplan(image.config).queues:
        one = kinds.setdefault(queue.cls, {"queues": 0, "issues": 0, "busy": 0.0, "busiest": 0.0})
        found = queues.get(queue.name, {"issues": 0, "busy": 0.0})
        one["queues"] += 1
        one["issues"] += found["issues"]
        one["busy"] += found["busy"]
        one["busiest"] = max(one["busiest"], found["busy"])
    for one in kinds.values():
        one["busy"] /= one["queues"]
    return kinds


def _planes(image: Image, queues: dict) -> dict:
    names = [unit.name for unit in floorplan(image.config).units if unit.kind == "MXM"]
    idle = {"busy": 0.0}
    return {
        name: {"passes": queues.get(f"{name}_A", idle)["busy"], "weights": queues.get(f"{name}_W", idle)["busy"]}
        for name in names
    }


def _memory(image: Image, line: Timeline) -> dict:
    slices = floorplan(image.config).slices
    number = {unit.name: n for n, unit in enumerate(slices)}
    words: dict[str, list[set[int]]] = {use: [set() for _ in slices] for use in USES}
    for segment in image.memory:
        words["text" if segment.text else "constants"][segment.slice].update(
            range(segment.addr, segment.addr + len(segment.data))
        )
    for region in image.inputs:
        words["inputs"][region.slice].update(range(region.addr, region.addr + region.words))
    for burst in line.bursts:
        for at, op in enumerate(burst.word):
            if op.instr.name not in ("WRITE", "GATHER", "SCATTER"):
                continue
            where = number[burst.queue.name]
            for k in range(burst.count):
                addr = burst.values(k)[at]["addr"]
                if op.instr.name == "WRITE":
                    words["results"][where].add(addr)
                else:
                    words["tables"][where].update(range(addr, addr + op["rows"]))
    found = {}
    for where, unit in enumerate(slices):
        taken: set[int] = set()
        one = {}
        for use in USES:
            one[use] = len(words[use][where] - taken)
            taken |= words[use][where]
        found[unit.name] = one | {"free": image.config.mem.words - len(taken)}
    return found


def _rate(amount: int, cycles: int, peak: int) -> dict:
    return {"bytes": amount, "bytes_a_cycle": amount / cycles, "share": amount / cycles / peak}
