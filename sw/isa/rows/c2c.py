"""Rows of the links between chips: places kept, no unit executes them yet."""

from sw.isa.spec import Instr, at_issue


def _link(name: str, cls: str, slot: str, code: int, fields: tuple[str, ...], doc: str) -> Instr:
    return Instr(name=name, cls=cls, slot=slot, code=code, fields=fields, doc=doc, timing=at_issue, reserved=True)


C2C = (
    _link("SEND", "C2C_SEND", "send", 1, ("link", "stream"), "Sends the vector on stream over a link."),
    _link("FORWARD", "C2C_SEND", "send", 2, ("link", "out"), "Passes a frame from one link to another."),
    _link("DESKEW", "C2C_SEND", "send", 3, ("link",), "Waits for the next overflow of the aligned counter."),
    _link("TRANSMIT", "C2C_SEND", "send", 4, ("link",), "Sends a synchronisation vector."),
    _link("RUNTIME_DESKEW", "C2C_SEND", "send", 5, ("t",), "Waits t cycles, corrected for drift."),
    _link("RECEIVE", "C2C_RECEIVE", "receive", 1, ("link", "stream"), "Drives a received vector on a stream."),
)
