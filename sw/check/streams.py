"""Stream registers: nobody drives one twice in a cycle, nobody reads one that nothing was driven into.

A value lives on a diagonal: driven at stop p into the next register in cycle T it stands at every stop x
downstream in cycle T + |x - p| - 1, unless a later driver on its way takes its place (which leaves a value
there all the same).
"""

import numpy as np

from sw.arch.stream import Stream
from sw.check.cover import clashes, mask_text, uncovered
from sw.check.finding import Findings
from sw.check.issues import Issues, Touches


def check_streams(issues: Issues, findings: Findings) -> None:
    """Rules `stream-conflict` and `stream-unwritten`."""
    _conflicts(issues, findings)
    _unwritten(issues, findings)


def _conflicts(issues: Issues, findings: Findings) -> None:
    drives, codes, stops = issues.drives, 2 * issues.config.streams, len(issues.stop) + 1
    stop = issues.stop[issues.queue[drives.row]]
    first, second = clashes((drives.cycle * stops + stop) * codes + drives.code)
    later = issues.issue[drives.row[first]] > issues.issue[drives.row[second]]
    first, second = np.where(later, second, first), np.where(later, first, second)
    # A pair of groups meets on several streams; the lowest stands for all.
    pairs = drives.row[first] * len(issues.op) + drives.row[second]
    keep = np.sort(np.unique(pairs, return_index=True)[1])
    first, second = first[keep], second[keep]

    def sentence(i: int) -> str:
        code, cycle = drives.code[second[i]], drives.cycle[second[i]]
        other = issues.text(int(drives.row[first[i]]))
        return f"and {other} both drive {_name(code, issues)} of stop {stop[second[i]]} for cycle {cycle}"

    findings.add("stream-conflict", drives.row[second], sentence, drives.row[first])


def _unwritten(issues: Issues, findings: Findings) -> None:
    reads, drives = issues.reads, issues.drives
    read_flow, drive_flow = _flow(issues, reads), _flow(issues, drives)
    given = _diagonal(issues, drives, drive_flow + 1), drive_flow, issues.mask[drives.row]
    used = _diagonal(issues, reads, read_flow), read_flow, issues.mask[reads.row]
    lost = uncovered(given, used, issues.config.superlanes)
    bad = np.flatnonzero(lost)
    bad = bad[np.sort(np.unique(reads.row[bad], return_index=True)[1])]

    def sentence(i: int) -> str:
        code, cycle = reads.code[bad[i]], reads.cycle[bad[i]]
        stop = issues.stop[issues.queue[reads.row[bad[i]]]]
        where = mask_text(lost[bad[i]], issues.full)
        return f"reads {_name(code, issues)} at stop {stop} in cycle {cycle}, which nobody has driven{where}"

    findings.add("stream-unwritten", reads.row[bad], sentence)


def _flow(issues: Issues, touches: Touches) -> np.ndarray:
    """Stops counted along the stream's direction."""
    stop = issues.stop[issues.queue[touches.row]]
    return np.where(touches.code >= issues.config.streams, -stop, stop)


def _diagonal(issues: Issues, touches: Touches, flow: np.ndarray) -> np.ndarray:
    """A number for the stream and diagonal of a value that stands in the register at `flow` in its cycle."""
    return (touches.cycle - flow) * 2 * issues.config.streams + touches.code


def _name(code: int, issues: Issues) -> str:
    return str(Stream.of(int(code), issues.config.streams))
