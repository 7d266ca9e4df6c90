"""Operators as formulas over the primitives of a graph: pure functions of tensors, which know nothing of the machine.

Arithmetic is in FP32 unless said otherwise; tensors of other types are converted by the caller. Truth values are INT8
masks, 0 or -1.
"""
