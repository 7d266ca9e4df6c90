"""Cases of streams and memory: a program that keeps a rule, or (`broken`) breaks it, and where."""

from sw.isa.codec import make
from tests.check.bring import TINY, bring

ACCESS = make("GATHER").timing(TINY).access


def copy(p, cycle=20, stream="E4", addr=5):
    """Word 0 of W0 is written to E0 in `cycle`."""
    bring(p, "W0", "MEM_E0", stream, cycle)
    p.at(cycle).mem("E0").write(addr, stream)


def stream_conflict(p, broken):
    bring(p, "E0", "MEM_E2", "E3", 20)
    bring(p, "E1", "MEM_E2", "E3" if broken else "E4", 20)
    return "stream-conflict", "MEM_E1", 18


def stream_unwritten(p, broken):
    bring(p, "W0", "MEM_E0", "E4", 20)
    p.at(21 if broken else 20).mem("E0").write(5, "E4")
    return "stream-unwritten", "MEM_E0", 21


def stream_upstream(p, broken):
    bring(p, "E0", "VXM", "W4", 20)
    # The value passes VXM at 20; W0 is one stop further west, E2 lies behind its driver.
    p.at(17 if broken else 21).mem("E2" if broken else "W0").write(5, "W4")
    return "stream-unwritten", "MEM_E2", 17


def stream_superlanes(p, broken):
    copy(p)
    p.at(1).mem("W0").config(1)
    if not broken:
        p.at(1).mem("E0").config(1)
    return "stream-unwritten", "MEM_E0", 20


def stream_cut(p, broken):
    # E1 drives over what W0 sent: the value at E2 is E1's, and it is there; without both there is none.
    if not broken:
        bring(p, "W0", "MEM_E2", "E4", 20)
        bring(p, "E1", "MEM_E2", "E4", 20)
    p.at(20).mem("E2").write(5, "E4")
    return "stream-unwritten", "MEM_E2", 20


def gather(p, slice_="E0", cycle=20, addr=0, rows=4):
    """A GATHER of the words that `bring` initialises."""
    bring(p, "W0", f"MEM_{slice_}", "E2", cycle)
    bring(p, "W1", f"MEM_{slice_}", "E3", cycle)
    p.at(cycle).mem(slice_).gather(addr, rows, "E8", "SG2_E[1]")


def scatter(p, cycle=20, addr=0, rows=4):
    bring(p, "W0", "MEM_E0", "E2", cycle)
    bring(p, "W1", "MEM_E0", "E3", cycle)
    bring(p, "W2", "MEM_E0", "E4", cycle)
    p.at(cycle).mem("E0").scatter(addr, rows, "E4", "SG2_E[1]")


def mem_port_read(p, broken):
    p.data("E0", 0, [[1], [2], [3], [4]])
    gather(p)
    p.at(20 + ACCESS + (not broken)).mem("E0").read(0, "E9")
    return "mem-port", "MEM_E0", 20 + ACCESS


def mem_port_write(p, broken):
    scatter(p)
    t = 20 + ACCESS + (not broken)
    bring(p, "W3", "MEM_E0", "E9", t)
    p.at(t).mem("E0").write(9, "E9")
    return "mem-port", "MEM_E0", t


def mem_bank(p, broken):
    copy(p)
    p.data("E0", 0, [1])
    p.data("E0", 32, [1])
    p.at(20).mem("E0").read(0 if broken else 32, "E9")
    return "mem-bank", "MEM_E0", 20


def mem_bank_mapped(p, broken):
    p.data("E0", 0, [[1], [2], [3], [4]])
    gather(p)
    copy(p, 20 + ACCESS, addr=5 if broken else 40)
    return "mem-bank", "MEM_E0", 20


def mem_uninitialised(p, broken):
    copy(p)
    p.at(19 if broken else 21).mem("E0").read(5, "E9")
    return "mem-uninitialised", "MEM_E0", 19


def mem_uninitialised_superlane(p, broken):
    copy(p)
    p.at(1).mem("E0").config(2 if broken else 3)
    p.at(21).mem("E0").config(3)
    p.at(22).mem("E0").read(5, "E9")
    return "mem-uninitialised", "MEM_E0", 22


def mem_uninitialised_region(p, broken):
    p.input("x", "E0", 0, 3 if broken else 4)
    gather(p)
    return "mem-uninitialised", "MEM_E0", 20


def mem_scatter_initialises_nothing(p, broken):
    scatter(p, addr=8)
    if not broken:
        p.data("E0", 8, [1])
    p.at(40).mem("E0").read(8, "E9")
    return "mem-uninitialised", "MEM_E0", 40


def mem_text_written(p, broken):
    p.data("E0", 6, [1], text=True)
    copy(p, addr=6 if broken else 5)
    return "mem-text", "MEM_E0", 20


def mem_text_scattered(p, broken):
    p.data("E0", 12, [1], text=True)
    scatter(p, addr=9 if broken else 8)
    return "mem-text", "MEM_E0", 20


def mem_text_input(p, broken):
    p.data("E0", 12, [1], text=True)
    p.input("x", "E0", 10, 3 if broken else 2)
    return "mem-text", None, None


def mem_output(p, broken):
    copy(p)
    p.output("y", "E0", 5, 2 if broken else 1)
    return "mem-output", None, None
