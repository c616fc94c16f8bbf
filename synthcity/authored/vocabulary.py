"""What authored files may name: everything that is not listed is refused. And the list for files over NumPy alone.

Nothing on a list opens, starts, imports, evaluates, looks into an object's insides or changes what is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words of one kind of file.

    Attributes:
        modules: module -> what may be taken from it; a name that is itself a key here is that module.
        names: modules of which single names may be imported, and nothing else.
        attributes: of any value.
        builtins: of Python.
        annotations: full names that may stand in annotations alone.
        decorators: names that may only stand above what the file itself defines.
        overridable: what a class of the file may define although its base class has it too.
        bases: modules whose classes may be base classes.
        taken: gives the names that the file may not give to attributes of its own.
        classes: whether a file may define classes.
    """

    modules: Mapping[str, frozenset[str]]
    names: Mapping[str, frozenset[str]]
    attributes: frozenset[str]
    builtins: frozenset[str]
    annotations: frozenset[str] = frozenset()
    decorators: frozenset[str] = frozenset()
    overridable: frozenset[str] = frozenset()
    bases: frozenset[str] = frozenset()
    taken: Callable[[], frozenset[str]] = frozenset
    classes: bool = False


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# what a value that outlives a call may be made by: no list, no array, nothing that could be changed later
CONSTANT_CALLS = words("float int bool str tuple abs min max round pow sum boolean choice integer real")

MATH = words("""
    acos asin atan atan2 ceil comb copysign cos cosh degrees e erf erfc exp expm1 fabs factorial floor fmod fsum gamma
    gcd hypot inf isclose isfinite isinf isnan isqrt lcm lgamma log log10 log1p log2 nan perm pi pow prod radians sin
    sinh sqrt tan tanh tau trunc
""")
_NUMPY = words("""
    abs absolute add all allclose amax amin any arange arccos arcsin arctan arctan2 argmax argmin argpartition argsort
    argwhere array asarray array_equal atleast_1d atleast_2d average bincount bool_ broadcast_to cbrt ceil clip
    column_stack concatenate convolve copysign corrcoef correlate cos cosh count_nonzero cov cross cumprod cumsum
    deg2rad degrees diag diagonal diff digitize divide divmod dot e einsum equal errstate exp exp2 expand_dims expm1
    eye fabs finfo flatnonzero flip float32 float64 floor floor_divide fmax fmin fmod full full_like geomspace gradient
    greater heaviside histogram hypot identity iinfo inf inner int32 int64 interp intersect1d isclose isfinite isin
    isinf isnan kron less lexsort linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or
    logical_xor logspace matmul max maximum mean median meshgrid min minimum mod moveaxis multiply nan nan_to_num
    nanargmax nanargmin nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar
    ndarray ndim negative newaxis nonzero not_equal ones ones_like outer pad partition percentile pi polyfit polyval
    positive power prod ptp quantile rad2deg radians reciprocal remainder repeat reshape rint roll round searchsorted
    select shape sign signbit sin sinc sinh size sort split sqrt square squeeze stack std subtract sum swapaxes take
    take_along_axis tan tanh tensordot tile trace transpose trapezoid tri tril triu true_divide trunc unique
    unravel_index var vdot vstack hstack where zeros zeros_like linalg fft
""")
_LINALG = words("norm cholesky solve inv det slogdet qr eigh svd lstsq pinv matrix_power")
_FFT = words("fft ifft rfft irfft fftfreq rfftfreq fftshift ifftshift")
_ARRAY = words("""
    T all any argmax argmin argsort astype clip copy cumprod cumsum diagonal dot dtype flatten max mean min ndim nonzero
    prod ravel real imag repeat reshape round searchsorted shape size sort squeeze std sum swapaxes take trace
    transpose var eps tiny smallest_normal
""")
_CONTAINERS = words("append extend insert pop items keys values get index count startswith endswith")
_HISTORY = words("now assets resolution bars series time open high low close volume value normal uniform expected")

NUMPY = Vocabulary(
    modules={"math": MATH, "numpy": _NUMPY, "numpy.fft": _FFT, "numpy.linalg": _LINALG},
    names={
        "__future__": words("annotations"),
        "numpy.lib.stride_tricks": words("sliding_window_view"),
        "numpy.typing": words("NDArray"),
        "synthcity.authored.history": words("Bars History Noise Series"),
    },
    attributes=_ARRAY | _CONTAINERS | _HISTORY,
    builtins=words("""
        abs all any bool dict enumerate float int isinstance len list map max min pow range reversed round slice sorted
        str sum tuple zip ArithmeticError RuntimeError TypeError ValueError
    """),
    annotations=words("numpy.ndarray numpy.typing.NDArray"),
)
