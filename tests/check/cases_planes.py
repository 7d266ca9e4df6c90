"""Cases of the MXM planes."""

from sw.isa.codec import make
from tests.check.bring import TINY, bring

INT8, FP16 = "int8", "fp16"
FORCE = make("IW").timing(TINY).d_func
TURN = {kind: make("ABC", dtype=k).timing(TINY).turn for k, kind in enumerate((INT8, FP16))}
ARRIVES = {kind: make("ABC", dtype=k).timing(TINY).d_func for k, kind in enumerate((INT8, FP16))}
ACC_TURN = make("ACC").timing(TINY).turn


def weights(p, kind=INT8, cycle=20, columns=8, install=True):
    """Loads columns of E0, four (fp16: two) at a time, and installs them with the last; gives the cycle in
    force."""
    step = 4 if kind == INT8 else 2
    for k, col in enumerate(range(0, columns, step)):
        for stream, source in enumerate(("W0", "W1", "W2", "W3")):
            bring(p, source, "MXM_E0", f"E{stream}", cycle + k)
        p.at(cycle + k).mxm("E0").lw(kind, "SG4_E[0]", 4, col)
    if install:
        p.at(cycle + k).mxm("E0").iw()
    return cycle + k + FORCE


def abc(p, cycle, kind=INT8, mode="PASS", row=0, acc_kind=None):
    """A pass and the word that takes it."""
    for stream, source in list(enumerate(("E0", "E1"), 8))[: 1 + (kind == FP16)]:
        bring(p, source, "MXM_E0", f"E{stream}", cycle)
    p.at(cycle).mxm("E0").abc(kind, "E8" if kind == INT8 else "SG2_E[4]")
    acc(p, cycle + ARRIVES[kind], acc_kind or kind, mode, row)


def acc(p, cycle, kind=INT8, mode="READ", row=0):
    given = {} if mode in ("SET", "ADD") else {"dst": "SG4_W[0]"}
    p.at(cycle).mxm("E0").acc(kind, mode, row, **given)


def mxm_install(p, broken):
    weights(p)
    p.at(19 if broken else 30).mxm("E0").iw()
    return "mxm-install", "MXM_E0_W", 19


def mxm_weights_column(p, broken):
    abc(p, weights(p, columns=4 if broken else 8))
    return "mxm-weights", "MXM_E0_A", 20 + FORCE


def mxm_weights_early(p, broken):
    t = weights(p) - broken
    abc(p, t)
    return "mxm-weights", "MXM_E0_A", t


def mxm_weights_superlane(p, broken):
    p.at(1).queue("MXM_E0_W").config(1)
    if not broken:
        p.at(1).queue("MXM_E0_A").config(1)
    t = weights(p)
    abc(p, t)
    return "mxm-weights", "MXM_E0_A", t


def mxm_type(p, broken):
    t = weights(p, INT8 if broken else FP16)
    abc(p, t, FP16)
    return "mxm-type", "MXM_E0_A", t


def mxm_type_mixed(p, broken):
    t = weights(p, FP16)
    later = weights(p, INT8, t + 4, install=not broken)
    abc(p, later + 1, INT8)
    return "mxm-type", "MXM_E0_A", later + 1


def mxm_torn(p, broken):
    t = weights(p, FP16)
    abc(p, t + 6, FP16)
    p.at(t + 6 - FORCE + broken).mxm("E0").iw()
    return "mxm-torn", "MXM_E0_A", t + 6


def mxm_overlap(p, broken):
    t = weights(p, FP16)
    abc(p, t, FP16)
    abc(p, t + TURN[FP16] - broken, FP16)
    return "mxm-overlap", "MXM_E0_A", t + TURN[FP16] - 1


def mxm_overlap_int8(p, broken):
    """An int8 pass in the second cycle of an fp16 pass; all later ones multiply weights of the wrong type."""
    t = weights(p, FP16)
    abc(p, t, FP16)
    if broken:
        abc(p, t + TURN[FP16] - 1, INT8)
    return "mxm-overlap", "MXM_E0_A", t + TURN[FP16] - 1


def hold(p, cycle, kind=INT8):
    p.at(cycle).mxm("E0").abc_hold(kind)
    acc(p, cycle + ARRIVES[kind], kind, "PASS")


def mxm_hold(p, broken):
    t = weights(p)
    abc(p, t + 2)
    hold(p, t + (1 if broken else 3))
    return "mxm-hold", "MXM_E0_A", t + 1


def mxm_hold_superlane(p, broken):
    t = weights(p)
    p.at(1).queue("MXM_E0_A").config(1)
    abc(p, t)
    p.at(t + 1).queue("MXM_E0_A").config(3 if broken else 1)
    hold(p, t + 2)
    return "mxm-hold", "MXM_E0_A", t + 2


def mxm_meet(p, broken):
    t = weights(p, FP16)
    abc(p, t, FP16)
    gap = ARRIVES[FP16] - ARRIVES[INT8]
    if broken:
        bring(p, "E0", "MXM_E0", "E8", t + gap)
        p.at(t + gap).mxm("E0").abc(INT8, "E8")
    return "mxm-meet", "MXM_E0_A", t + gap


def acc_pass(p, broken):
    t = weights(p)
    abc(p, t)
    if broken:
        acc(p, t + ARRIVES[INT8] + 1, mode="PASS")
    return "acc-pass", "MXM_E0_R", t + ARRIVES[INT8] + 1


def acc_lost(p, broken):
    t = weights(p)
    abc(p, t, mode="SET")
    abc(p, t + ACC_TURN, mode="READ" if broken else "PASS")
    return "acc-lost", "MXM_E0_A", t + ACC_TURN


def acc_type(p, broken):
    t = weights(p)
    abc(p, t, acc_kind=FP16 if broken else INT8)
    return "acc-type", "MXM_E0_R", t + ARRIVES[INT8]


def acc_type_row(p, broken):
    t = weights(p)
    abc(p, t, mode="SET")
    acc(p, t + ARRIVES[INT8] + 20, FP16 if broken else INT8)
    return "acc-type", "MXM_E0_R", t + ARRIVES[INT8] + 20


def acc_unset(p, broken):
    t = weights(p)
    abc(p, t, mode="SET")
    abc(p, t + 20, mode="ADD_OUT", row=int(broken))
    return "acc-unset", "MXM_E0_R", t + 20 + ARRIVES[INT8]


def acc_turn(p, broken):
    t = weights(p)
    abc(p, t, mode="SET")
    acc(p, t + ARRIVES[INT8] + ACC_TURN - broken)
    return "acc-turn", "MXM_E0_R", t + ARRIVES[INT8] + ACC_TURN - 1
