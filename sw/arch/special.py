"""The tables behind exp2, log2, rsqrt, recip and tanh, shared by golden model and hardware.

Every function is brought to one segment-wise quadratic in fixed point,

    y = c0 + d * (c1 + c2 * d),   1/2 < y <= 1,   -1/2 <= d < 1/2 of a segment,

followed by y * factor * 2^exponent (+ integer part for log2). With x = 2^e * m, 1 <= m < 2:

    recip  y = 1 / m
    rsqrt  y = 1 / sqrt(m) for even e, 1 / sqrt(2 m) for odd e
    exp2   y = 2^f / 2, f the fraction of x
    log2   y = log2(1 + f) / (2 f), f = m - 1 for m < 1.5, else m / 2 - 1; the factor is f
    tanh   y = tanh(x) / x for x < 1 with factor x; y = tanh(x) from 1 to 16

The quadratics interpolate at Chebyshev nodes. Only +, -, *, / and sqrt of float64 are used to make them,
which IEEE 754 rounds alike everywhere, so the tables do not depend on a mathematics library.
"""

import functools

import numpy as np

#: Width of the signed offset d in its segment; the segment is 2^D_BITS wide.
D_BITS = 18
#: Bits of d that meet c2.
D2_BITS = 12
#: Fraction bits of y and c0, of c1, of c2.
C0_FRACTION, C1_FRACTION, C2_FRACTION = 28, 25, 26
#: Widths of the coefficients in a table row: c0 unsigned, c1 and c2 signed.
C0_BITS, C1_BITS, C2_BITS = C0_FRACTION + 1, 18, 12
#: Fraction bits of the argument in fixed point (exp2, and tanh below 1).
X_FRACTION = 26
#: First row of each function, and of tanh's octaves [1,2), [2,4), [4,8), [8,16).
RECIP_ROW, RSQRT_ROW, EXP2_ROW, LOG2_ROW, TANH_ROW = 0, 256, 512, 768, 896
TANH_OCTAVE_ROWS = (1024, 1152, 1280, 1344)
ROWS = 1376
#: Largest error of each function in units in the last place of the result, as the tests measure it.
MAX_ULP = {"EXP2": 1.0, "LOG2": 1.0, "RSQRT": 1.0, "RECIP": 1.0, "TANH": 1.0}

_LN2 = 0.6931471805599453


@functools.cache
def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients c0, c1, c2 of every row, as int64 arrays of ROWS; made at the first call."""
    starts, width, function = _segments()
    node = np.sqrt(3.0) / 4
    middle = starts + width / 2
    left, centre, right = (_evaluate(function, middle + k * node * width) for k in (-1, 0, 1))
    c1 = (right - left) / (2 * node)
    c2 = (left + right - 2 * centre) / (2 * node * node)
    # Half a unit more in c0 makes up for the truncation of the last product.
    columns = (np.rint(centre * 2.0**C0_FRACTION + 0.5), np.rint(c1 * 2.0**C1_FRACTION),
               np.rint(c2 * 2.0**C2_FRACTION))
    rows = tuple(column.astype(np.int64) for column in columns)
    for column in rows:
        column.flags.writeable = False
    return rows


def _segments():
    """Start and width of every row's segment in the argument of its function, and the function's number."""
    spans = (  # function, first argument, end, rows
        (_reciprocal, 1.0, 2.0, 256), (_inverse_root, 1.0, 2.0, 128), (_inverse_root, 2.0, 4.0, 128),
        (_half_power, 0.0, 1.0, 256), (_log_ratio, 0.0, 0.5, 64), (_log_ratio, -0.25, 0.0, 64),
        (_tanh_ratio, 0.0, 1.0, 128), (_tanh, 1.0, 2.0, 128), (_tanh, 2.0, 4.0, 128),
        (_tanh, 4.0, 8.0, 64), (_tanh, 8.0, 16.0, 32),
    )
    starts, widths, functions = [], [], []
    for function, first, end, rows in spans:
        width = (end - first) / rows
        starts.append(first + width * np.arange(rows))
        widths.append(np.full(rows, width))
        functions += [function] * rows
    return np.concatenate(starts), np.concatenate(widths), functions


def _evaluate(functions, x):
    y = np.empty_like(x)
    for function in dict.fromkeys(functions):
        at = np.array([f is function for f in functions])
        y[at] = function(x[at])
    return y


def _reciprocal(m):
    return 1.0 / m


def _inverse_root(m):
    return 1.0 / np.sqrt(m)


def _half_power(f):
    total = np.ones_like(f)
    for n in range(24, 0, -1):
        total = 1.0 + total * (f * _LN2) / n
    return total / 2


def _log_ratio(f):
    # ln(1 + f) = 2 atanh(s), s = f / (2 + f)
    square = (f / (2.0 + f)) * (f / (2.0 + f))
    total = np.zeros_like(f)
    for n in range(29, 0, -2):
        total = total * square + 1.0 / n
    return total / (2.0 + f) / _LN2


def _tanh_ratio(x):
    # Lambert's continued fraction, whose terms are all positive
    total = np.full_like(x, 121.0)
    for n in range(119, 0, -2):
        total = n + x * x / total
    return 1.0 / total


def _tanh(x):
    return x * _tanh_ratio(x)
