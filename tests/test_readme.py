"""What the README shows is what the tools print, and its links lead somewhere."""

import re
from pathlib import Path

from sw.arch.config import load
from sw.asm.text import assemble
from takt.drawing import draw

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_floorplan_is_that_of_small():
    assert f"```text\n{draw(load('small'))}\n```" in README


def test_the_program_is_the_example():
    text = re.search(r"```asm\n(.*?)```", README, re.DOTALL)[1]
    assert assemble(text) == assemble((ROOT / "examples" / "copy.takt").read_text())


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_files_that_pages_name_exist():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for path in re.findall(r"`((?:sw|hdl|tb|takt|tests|examples|docs|scripts)/[\w/.]*\w)`", page.read_text()):
            assert (ROOT / path).exists(), f"{page.name} names {path}"
