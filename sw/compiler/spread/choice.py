"""The scheme that takes the fewest cycles, as they are predicted."""

from sw.arch.system import System
from sw.compiler.border import Border
from sw.compiler.compiled import CompiledSystem, CompileError, compile_system
from sw.compiler.graph import Graph, GraphError
from sw.compiler.spread.schemes import SCHEMES, spread


def fastest(graph: Graph, system: System) -> tuple[CompiledSystem, Border]:
    """The programs of a graph over chips by whichever scheme takes the fewest cycles, start included. One chip alone takes
    part: then the others have nothing to do. CompileError with every scheme's reason if none is possible."""
    found, reasons = [], []
    for scheme in ("alone", *SCHEMES):
        try:
            spreaded, border = (graph, Border()) if scheme == "alone" else spread(graph, system, scheme)
            compiled = compile_system(spreaded, system)
            found.append((max(compiled.cycles), len(found), compiled, border))
        except (GraphError, CompileError) as error:
            reasons.append(f"By {scheme}: {error}")
    if not found:
        raise CompileError(" ".join(reasons))
    *_, compiled, border = min(found, key=lambda one: one[:2])
    return compiled, border
