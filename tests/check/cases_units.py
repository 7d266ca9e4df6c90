"""Cases of the vector unit, the switch unit and the queues."""

from sw.asm.operands import NEXT, PREV
from sw.isa.codec import make
from sw.isa.rows.icu import fetch_words
from tests.check.bring import TINY, bring

CHAIN = make("MOV").timing(TINY).d_chain - make("MOV").timing(TINY).chain_skew


def vxm_class(p, broken):
    p.at(9).vxm(1 if broken else 3).exp2("fp32", 1.0)
    return "vxm-class", "VXM1", 9


def vxm_result(p, broken):
    slow = make("CONVERT").timing(TINY).d_chain
    quick = make("MOV").timing(TINY).d_chain
    p.at(9).vxm(0).convert("int8", "int32", 1)
    p.at(9 + slow - quick + (not broken)).vxm(0).mov("int8", 1)
    return "vxm-result", "VXM0", 9 + slow - quick


def vxm_chain_prev(p, broken):
    p.at(9).vxm(0).mov("int8", 1)
    p.at(9 + CHAIN + broken).vxm(1).mov("int8", PREV)
    return "vxm-chain", "VXM1", 10 + CHAIN


def vxm_chain_next(p, broken):
    p.at(9).vxm(1).mov("int8", 1)
    p.at(9 + CHAIN - broken).vxm(0).neg("int8", NEXT)
    return "vxm-chain", "VXM0", 8 + CHAIN


def vxm_chain_edge(p, broken):
    p.at(9).vxm(0).mov("int8", 1)
    last = TINY.alus - 1
    p.at(9).vxm(last).mov("int8", 1)
    p.at(9 + CHAIN).vxm(last if broken else 1).mov("int8", NEXT if broken else PREV)
    return "vxm-chain", f"VXM{last}", 9 + CHAIN


def vxm_chain_superlane(p, broken):
    p.at(1).vxm(0).config(1)
    p.at(9).vxm(0).mov("int8", 1)
    if not broken:
        p.at(1).vxm(1).config(1)
    p.at(9 + CHAIN).vxm(1).mov("int8", PREV)
    return "vxm-chain", "VXM1", 9 + CHAIN


def sxm_map(p, broken):
    for stream, source in enumerate(("W0", "W1")):
        bring(p, source, "SXM_E", f"E{stream}", 20)
    p.at(20).sxm("E").map("SG2_E[0]")
    t = 19 if broken else 21
    bring(p, "W2", "SXM_E", "E4", t)
    p.at(t).sxm("E").permute("E4", "W0")
    return "sxm-map", "SXM_E_PERMUTE0", 19


def sxm_select(p, broken):
    bring(p, "W0", "SXM_E", "E0", 20)
    bring(p, "W0", "SXM_E", "E0", 30)
    p.at(20).sxm("E").select_map("E0")
    if broken:
        p.at(1).queue("SXM_E_SHIFT0").config(1)
        p.at(21).queue("SXM_E_SHIFT0").config(3)
    p.at(30).sxm("E").shift("SELECT", 1, "E0", "W0")
    return "sxm-map", "SXM_E_SHIFT0", 30


def fetching(p, queue, cycle, streams, sources, row):
    """Makes a queue of VXM fetch its HALT."""
    words = []
    for stream, source in zip(streams, sources, strict=True):
        bring(p, source, "VXM", stream, cycle, row, initialise=False)
        words.append((source, row))
    p.at(cycle).queue(queue).ifetch(streams[0])
    p.at(cycle + 20).queue(queue).halt()
    assert fetch_words(p.config) == 1
    # NOP, IFETCH, NOP are the boot part.
    p.text(queue, 3, [tuple(words)])


def fetch_port(p, broken):
    turn = make("IFETCH").timing(TINY).turn
    fetching(p, "VXM0", 20, ("E0", "E1"), ("W0", "W1"), 8)
    fetching(p, "VXM1", 20 + turn - broken, ("E0", "E1"), ("W0", "W1"), 9)
    return "fetch-port", "VXM1", 20 + turn - 1


def queue_text(p, broken):
    if broken:
        p.at(20).vxm(0).ifetch("E0")
    else:
        fetching(p, "VXM0", 20, ("E0", "E1"), ("W0", "W1"), 8)
    return "queue", "VXM0", 20
