"""A chip with one 32x32 plane, 1,024 int8 multiply-accumulates, for comparison with cores of that size."""

from sw.arch.config import Config, Ecc, Mem, Mxm, Sxm, Vxm

DUEL = Config(
    name="duel",
    lanes=16,
    superlanes=2,
    streams=32,
    queue_words=1024,
    mem=Mem(slices=24, slices_per_stop=8, words=4096),
    vxm=Vxm(rows=1, ranks=1, float_alus=(0,), special_alus=()),
    mxm=Mxm(west=0, east=1, types=("int8",), acc_rows=256),
    sxm=Sxm(shift=0, permute=0, distribute=0, rotate=0, transpose=0, reduce=0),
    ecc=Ecc(),
)
