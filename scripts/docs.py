"""Writes the pages that are made from tables: docs/isa.md, docs/config.md and docs/onnx.md."""

from pathlib import Path

from sw.arch.describe import config_page
from sw.asm.operands import OPTIONAL, syntax
from sw.compiler.onnx.page import onnx_page
from sw.isa.render import isa_page
from sw.isa.spec import Instr

DOCS = Path(__file__).resolve().parent.parent / "docs"


def written(instr: Instr) -> str:
    """The form of an instruction in assembly text."""
    form = syntax(instr)
    name = instr.name + "".join(f"[.{s}]" if s in OPTIONAL else f".{s}" for s in form.suffixes)
    strides = [f"[{stride}=n]" for _, stride in instr.strides]
    parts = [", ".join(form.operands), *strides, f"-> {form.result}" if form.result else ""]
    return " ".join(filter(None, (name, *parts)))


PAGES = {"isa.md": lambda: isa_page(written), "config.md": config_page, "onnx.md": onnx_page}


def main() -> None:
    """Writes all pages, and says which."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
