"""Programs for `tiny` in which one word with wrong bits reaches one consumer.

Each takes a program and a mark of `tests.tb.spoiled`, and gives the entry that consumes the marked word.
Where the wrong data bit would go uncorrected, the outputs would differ.
"""

import numpy as np

from sw.asm.entry import Entry
from sw.asm.flow import arrival, read_time
from sw.asm.program import Program
from sw.isa.table import instruction
from tests.tb.spoiled import MARKS, marked

T = 24
OUT = 40


def vector(first: int) -> np.ndarray:
    """uint8 [8] of small, different bytes."""
    return np.arange(first, first + 8, dtype=np.uint8)


def bring(p: Program, name: str, stream: str, unit: str, time: int, data: np.ndarray, addr: int = 0) -> None:
    """Has `data` on a stream at a unit in cycle `time`, from words of a slice."""
    p.data(name, addr, data)
    p.at(read_time(p.config, f"MEM_{name}", unit, time)).mem(name).read(addr, stream)


def keep(p: Program, entry: Entry, name: str, stream: str) -> None:
    """Stores what `entry` drives."""
    p.output(name, name, OUT, 1)
    p.at(arrival(entry, f"MEM_{name}")).mem(name).write(OUT, stream)


def vxm_operand(p: Program, mark: str) -> Entry:
    bring(p, "W0", "E0", "VXM", T, marked(vector(1), mark))
    entry = p.at(T).vxm(1).add("int8", "E0", 1, dst="E4")
    keep(p, entry, "E1", "E4")
    return entry


def _plane(p: Program, weights: np.ndarray, activations: np.ndarray) -> tuple[Entry, Entry]:
    """Loads the columns [8, 8] of a plane and has one pass; gives the first LW and the ABC."""
    for load in range(2):
        for j in range(4):
            bring(p, f"E{j}", f"E{j}", "MXM_E0", T + load, weights[4 * load + j], load)
    first = p.at(T).queue("MXM_E0_W").lw("int8", "E0", 4, 0)
    last = p.at(T + 1).queue("MXM_E0_W")
    last.lw("int8", "E0", 4, 4)
    last.iw()
    begin = T + 1 + instruction("IW").timing(p.config, {}).d_func
    bring(p, "W0", "E8", "MXM_E0", begin, activations)
    passes = p.at(begin).queue("MXM_E0_A").abc("int8", "E8")
    meets = begin + passes.word[0].timing(p.config).d_func
    sums = p.at(meets).queue("MXM_E0_R").acc("int8", "pass", 0, "W0")
    for j in range(4):
        keep(p, sums, f"E{j}", f"W{j}")
    return first, passes


def _columns() -> np.ndarray:
    return np.arange(64, dtype=np.uint8).reshape(8, 8)


def weights(p: Program, mark: str) -> Entry:
    columns = _columns()
    columns[1] = marked(columns[1], mark)
    return _plane(p, columns, vector(1))[0]


def activations(p: Program, mark: str) -> Entry:
    return _plane(p, _columns(), marked(vector(2), mark))[1]


def _sxm(p: Program, streams: dict[str, np.ndarray]) -> None:
    """Brings vectors to the switch unit in the east in cycle T, each from a slice of its own."""
    for name, (stream, data) in zip(("E0", "E1", "E2", "E3", "W0", "W1"), streams.items(), strict=False):
        bring(p, name, stream, "SXM_E", T, data)


def shift(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": marked(vector(1), mark)})
    entry = p.at(T).sxm("E").shift("north", 1, "E0", "W0")
    keep(p, entry, "E1", "W0")
    return entry


def select_map(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": marked(vector(1), mark)})
    entry = p.at(T).sxm("E").select_map("E0")
    bring(p, "W2", "E5", "SXM_E", T + 1, vector(70))
    moved = p.at(T + 1).sxm("E").shift("select", 1, "E5", "W0")
    keep(p, moved, "E1", "W0")
    return entry


def permute(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": vector(0)[::-1].copy(), "E1": np.zeros(8, np.uint8)})
    p.at(T).sxm("E").map("E0")
    bring(p, "W2", "E5", "SXM_E", T + 1, marked(vector(70), mark))
    entry = p.at(T + 1).sxm("E").permute("E5", "W0")
    keep(p, entry, "E1", "W0")
    return entry


def permute_map(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": marked(vector(0), mark), "E1": np.zeros(8, np.uint8)})
    entry = p.at(T).sxm("E").map("E0")
    bring(p, "W2", "E5", "SXM_E", T + 1, vector(70))
    moved = p.at(T + 1).sxm("E").permute("E5", "W0")
    keep(p, moved, "E1", "W0")
    return entry


def distribute(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": marked(vector(70), mark), "E1": np.arange(8, dtype=np.uint8)[::-1] % 4})
    entry = p.at(T).sxm("E").distribute("E0", "E1", "W0")
    keep(p, entry, "E1", "W0")
    return entry


def distribute_map(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": vector(70), "E1": marked(np.arange(8, dtype=np.uint8) % 4, mark)})
    entry = p.at(T).sxm("E").distribute("E0", "E1", "W0")
    keep(p, entry, "E1", "W0")
    return entry


def rotate(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": vector(1), "E1": marked(vector(20), mark), "E2": vector(40)})
    entry = p.at(T).sxm("E").rotate(3, "E0", "W0")
    keep(p, entry, "E1", "W4")
    return entry


def transpose(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": vector(1), "E1": marked(vector(20), mark), "E2": vector(40), "E3": vector(60)})
    entry = p.at(T).sxm("E").transpose("E0", "W0")
    keep(p, entry, "E1", "W0")
    keep(p, entry, "E2", "W1")
    return entry


def reduce(p: Program, mark: str) -> Entry:
    _sxm(p, {"E0": marked(vector(1), mark), "E1": vector(20), "E2": vector(40), "E3": vector(60)})
    entry = p.at(T).sxm("E").reduce("sum", "int32", "E0", "W0")
    for j in range(4):
        keep(p, entry, f"E{j}", f"W{j}")
    return entry


def _offsets(p: Program, mark: str, unit: str) -> None:
    """A map on E0 and E1 that says 2 in superlane 0 and 5 in superlane 1, and 3 or 11 if it is not corrected."""
    low = np.array([2, 0, 0, 0, 5, 0, 0, 0], np.uint8)
    bring(p, "W2", "E0", unit, T, marked(low, mark))
    bring(p, "W3", "E1", unit, T, np.zeros(8, np.uint8))


def gather_map(p: Program, mark: str) -> Entry:
    p.data("W1", 8, np.arange(64, dtype=np.uint8).reshape(8, 8))
    _offsets(p, mark, "MEM_W1")
    entry = p.at(T).mem("W1").gather(8, 8, "E4", "E0")
    keep(p, entry, "E1", "E4")
    return entry


def scatter_map(p: Program, mark: str) -> Entry:
    p.data("E1", OUT, np.arange(64, dtype=np.uint8).reshape(8, 8))
    _offsets(p, mark, "MEM_E1")
    bring(p, "W0", "E2", "MEM_E1", T, vector(90))
    p.output("E1", "E1", OUT, 8)
    return p.at(T).mem("E1").scatter(OUT, 8, "E2", "E0")


def _program_text(p: Program, mark: str, alu: int) -> Entry:
    """The ADD that is fetched has the mark in bits 63 … 48, of its immediate; bits 32 and 41 are wrong."""
    turn, later, fetches = 8, 20, []
    for fetch in range(2):
        for half in range(2):
            p.at(3 + turn * fetch).mem(f"E{half}").read(6 + fetch, f"W{half}")
        fetches.append(p.at(5 + turn * fetch).vxm(alu).ifetch("W0"))
    p.text(f"VXM{alu}", 5, [(("E0", 6 + fetch), ("E1", 6 + fetch)) for fetch in range(2)])
    for j in range(4):
        bring(p, f"W{j}", f"E{j}", "VXM", T + later, vector(j))
    value, _ = MARKS[mark]
    added = p.at(T + later).vxm(alu).add("int32", "E0", value << 11, dst="E4", overflow="mod")
    for j in range(4):
        keep(p, added, f"E{j}", f"E{4 + j}")
    return fetches[0]


def program_text(p: Program, mark: str) -> Entry:
    return _program_text(p, mark, 0)


def program_text_of_another_queue(p: Program, mark: str) -> Entry:
    """Of a queue that is not the first at its stop."""
    return _program_text(p, mark, 2)


CONSUMERS = (
    vxm_operand,
    weights,
    activations,
    shift,
    select_map,
    permute,
    permute_map,
    distribute,
    distribute_map,
    rotate,
    transpose,
    reduce,
    gather_map,
    scatter_map,
    program_text,
    program_text_of_another_queue,
)
