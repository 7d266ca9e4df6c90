"""The static checker: proves a program before it runs."""

from sw.asm.image import Image
from sw.asm.timeline import TimelineError, timeline
from sw.check.finding import Finding, Findings
from sw.check.issues import Issues
from sw.check.links import check_links
from sw.check.mem import check_mem
from sw.check.passes import check_passes
from sw.check.queues import check_queues
from sw.check.streams import check_streams
from sw.check.sxm import check_sxm
from sw.check.vxm import check_vxm
from sw.check.weights import Weights, check_weights


def check(image: Image, limit: int = 50) -> list[Finding]:
    """Everything that is wrong with one iteration of an image from a clean state, the `limit` earliest
    findings.

    An image without findings runs without a fault, except for what depends on data: offsets of GATHER and
    SCATTER beyond their region, and bits that the memories lose. Nothing counts as initialised but the
    image's memory and its declared inputs. Queues that do not run to HALT give one finding of rule `queue`,
    and nothing else is checked.
    """
    try:
        issues = Issues(timeline(image))
    except TimelineError as error:
        unit = error.queue.unit.name
        return [Finding("queue", unit, error.queue.name, error.cycle, (), str(error))]
    findings = Findings(issues, limit)
    check_queues(issues, findings)
    check_streams(issues, findings)
    check_mem(image, issues, findings)
    check_vxm(issues, findings)
    weights = Weights(issues)
    check_weights(weights, findings)
    check_passes(weights, findings)
    check_sxm(issues, findings)
    check_links(issues, findings)
    return findings.first()
