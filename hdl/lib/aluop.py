"""Codes of the VXM operations, as the instruction table numbers them."""

from sw.isa.rows.vxm import VXM

#: Instruction name to code of a VXM word.
ALU_OP: dict[str, int] = {instr.name: instr.code for instr in VXM}
