"""Takt for its users: the few names that programs and notebooks need, each imported when first used."""

from importlib import import_module

_HOMES = {
    "Config": "sw.arch.config",
    "load": "sw.arch.config",
    "floorplan": "sw.arch.floorplan",
    "Program": "sw.asm.program",
    "assemble": "sw.asm.text",
    "Image": "sw.asm.image",
    "timeline": "sw.asm.timeline",
    "check": "sw.check.program",
    "Graph": "sw.compiler.graph",
    "Model": "takt.model",
    "compile": "takt.model",
    "GoldenMachine": "sw.golden.chip",
    "CocotbMachine": "tb.machine",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"takt has no name '{name}'; it has {', '.join(_HOMES)}.")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
