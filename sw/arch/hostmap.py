"""The host port's registers, spaces and fault codes: one table for hardware, driver and `docs/host.md`.

Run as a module it prints the tables of `docs/host.md`.
"""

from dataclasses import dataclass
from enum import IntEnum

ID = 0x54414B54
"""What register ID reads: "TAKT"."""
VERSION = 1
"""Version of this map."""
PAGE_BYTES = 4096
"""The port decodes this many bytes of register addresses."""
NO_QUEUE = 0xFFFF_FFFF
"""What FAULT_QUEUE reads when the fault belongs to no queue."""


class Space(IntEnum):
    """What the host bus and a transfer can address."""

    MEM = 0
    QUEUE = 1
    STATUS = 2


class Transfer(IntEnum):
    """What is written to TRANSFER."""

    LOAD = 1
    READ = 2


class Counter(IntEnum):
    """Addresses of a queue's counters in space STATUS."""

    BUSY = 0
    CORRECTED = 1


class Fault(IntEnum):
    """Fault codes: below 16 the core's own, from 16 those that the host port finds."""

    NONE = 0
    ECC = 1
    GATHER_RANGE = 2
    QUEUE_UNDERRUN = 3
    RING_OVERFLOW = 4
    LINK_UNDERRUN = 5
    LINK_OVERRUN = 6
    STREAM_CONFLICT = 7
    BANK_CONFLICT = 8
    QUEUE_PARITY = 9
    RESULT_CONFLICT = 10
    LINK_FRAME = 11
    HOST_ECC = 16
    LOAD_TRUNCATED = 17
    LOAD_OVERLONG = 18
    LOAD_PARTIAL_BEAT = 19
    NO_ANSWER = 20


FAULT_DOC = {
    Fault.NONE: "no fault",
    Fault.ECC: "a word with two wrong bits reached a consumer",
    Fault.GATHER_RANGE: "the offset of a GATHER or SCATTER lies outside its region",
    Fault.QUEUE_UNDERRUN: "a queue ran out of words before HALT",
    Fault.RING_OVERFLOW: "IFETCH brought more words than the ring holds",
    Fault.LINK_UNDERRUN: "a word stood at a receive port before it had come, or ALIGN found no mark",
    Fault.LINK_OVERRUN: "a word was overwritten before it stood at the receive port",
    Fault.LINK_FRAME: "a frame could not be corrected, or was another than RECEIVE expected",
    Fault.STREAM_CONFLICT: "two units drove one stream register in one cycle",
    Fault.BANK_CONFLICT: "two accesses of one class met in one bank",
    Fault.QUEUE_PARITY: "a word in a queue memory has wrong parity",
    Fault.RESULT_CONFLICT: "two results left one ALU in one cycle",
    Fault.HOST_ECC: "a word read by the host had two wrong bits; it was sent as zero with TUSER set",
    Fault.LOAD_TRUNCATED: "TLAST came before the last beat of a load",
    Fault.LOAD_OVERLONG: "the last beat of a load came without TLAST; the rest was thrown away",
    Fault.LOAD_PARTIAL_BEAT: "a beat of a load had a zero in TKEEP",
    Fault.NO_ANSWER: "no unit answered on the host bus",
}


@dataclass(frozen=True)
class Register:
    """One 32-bit register. `access` is "r", "w" or "rw"; `bits` names its bits, lowest first."""

    name: str
    offset: int
    access: str
    doc: str
    bits: tuple[str, ...] = ()

    def bit(self, name: str) -> int:
        """The mask of the bit called `name`."""
        return 1 << self.bits.index(name)


_ROWS = (
    ("ID", "r", f"0x{ID:08X}"),
    ("VERSION", "r", "version of this map"),
    ("CONFIG", "r", "hash of the chip's configuration"),
    ("GEOMETRY", "r", "lanes in bits 7-0, superlanes in 15-8, bytes of a stream beat in 23-16"),
    ("CONTROL", "w", "exactly one bit: start a run, clear the fault, or abort run and transfer",
     ("start", "clear", "abort")),
    ("STATUS", "r", "what the port is doing", ("idle", "running", "done", "fault", "loading", "reading")),
    ("ITERATIONS", "rw", "iterations of the next run, at least 1"),
    ("ITERATION", "r", "iterations finished in the current or last run"),
    ("RUNS", "r", "runs that finished without a fault, since reset"),
    ("CYCLES_LO", "r", "cycles of the current or last run, low half; reading it also takes the high half"),
    ("CYCLES_HI", "r", "high half, as it was when CYCLES_LO was read"),
    ("CORRECTED", "r", "single-bit errors corrected on the whole chip since reset; stays at its greatest value"),
    ("FAULT", "r", "code of the first fault, 0 if none"),
    ("FAULT_UNIT", "r", "its unit; for codes from 16 the TARGET_UNIT"),
    ("FAULT_QUEUE", "r", f"its queue, 0x{NO_QUEUE:08X} if none"),
    ("FAULT_CYCLE_LO", "r", "run cycle of the fault, low half"),
    ("FAULT_CYCLE_HI", "r", "run cycle of the fault, high half"),
    ("TARGET_SPACE", "rw", "0 MEM, 1 QUEUE"),
    ("TARGET_UNIT", "rw", "MEM: slice number; QUEUE: queue number"),
    ("TARGET_ADDRESS", "rw", "first word"),
    ("TARGET_COUNT", "rw", "words: vectors of MEM, 16-byte words of QUEUE"),
    ("TRANSFER", "w", "1 load from the input stream, 2 read to the output stream (MEM only)"),
    ("COUNTER_INDEX", "rw", "number of the queue whose counters the next two registers show"),
    ("COUNTER_BUSY", "r", "cycles of the last run in which the queue gave its unit a word"),
    ("COUNTER_CORRECTED", "r", "errors corrected in operands of the queue's words in the last run"),
    ("HAC", "rw", "whose count the HAC follows: what to add to it in bits 7-0, by which port it comes in 12-8, whether it "
     "does in 16"),
    ("LINK_INDEX", "rw", "number of the port that the next three registers show"),
    ("LINK_STATE", "r", "the count that was heard last in bits 7-0, the chip's own in that cycle in 15-8, whether any was "
     "heard since reset in 16, whether the mark was in 17"),
    ("LINK_MARK", "r", "run cycle in which the mark was heard"),
    ("LINK_DAMAGED", "r", "frames that came in by the port with wrong bytes and were passed on so, in the last run"),
)

#: Fields of the register HAC.
HAC_LEAD, HAC_PORT, HAC_FOLLOW = range(0, 8), range(8, 13), 16

REGISTERS = {row[0]: Register(row[0], 4 * index, *row[1:]) for index, row in enumerate(_ROWS)}
"""Name -> register, in address order."""


def render() -> str:
    """The register and fault tables in Markdown."""
    lines = ["| offset | register | access | meaning |", "| --- | --- | --- | --- |"]
    for register in REGISTERS.values():
        bits = ", ".join(f"bit {index} {name}" for index, name in enumerate(register.bits))
        meaning = f"{register.doc} ({bits})" if bits else register.doc
        lines.append(f"| 0x{register.offset:02X} | {register.name} | {register.access} | {meaning} |")
    lines += ["", "| code | fault | meaning |", "| --- | --- | --- |"]
    lines += [f"| {fault.value} | {fault.name} | {FAULT_DOC[fault]} |" for fault in Fault]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render(), end="")
