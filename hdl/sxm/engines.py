"""The engines by kind, as the floorplan names them."""

from hdl.sxm.distribute import Distribute
from hdl.sxm.engine import Engine
from hdl.sxm.permute import Permute
from hdl.sxm.reduce import Reduce
from hdl.sxm.rotate import Rotate
from hdl.sxm.shift import Shift
from hdl.sxm.transpose import Transpose
from sw.arch.config import Config

_ENGINES = {
    "shift": Shift,
    "permute": Permute,
    "distribute": Distribute,
    "rotate": Rotate,
    "transpose": Transpose,
    "reduce": Reduce,
}


def engine(c: Config, cls: str, sim: bool) -> Engine:
    """The column of an engine that is fed by a queue of class `cls`."""
    return _ENGINES[cls.removeprefix("SXM_").lower()](c, sim)
