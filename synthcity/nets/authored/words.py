"""What a file that a language model wrote may name: everything that is not listed is refused.

Code here can compute with tensors and declare options. Nothing on the lists opens, starts, imports, evaluates, looks
into an object's insides or changes what is shared.
"""

from __future__ import annotations

from synthcity.authored.vocabulary import MATH
from synthcity.authored.vocabulary import words as _words

TORCH = _words("""
    Tensor abs acos add addmm all amax amin any arange argmax argmin argsort asin asinh atan atan2 atanh autocast
    baddbmm bfloat16 bmm bool broadcast_to cat ceil chunk clamp clip complex conj cos cosh count_nonzero cross
    cummax cummin cumprod cumsum cumulative_trapezoid deg2rad diag diag_embed diagonal diff div dot einsum eq erf erfc
    erfinv exp exp2 expm1 eye finfo flatten flip float float16 float32 float64 floor floor_divide fmod frac full
    full_like gather ge Generator gt heaviside histc hypot i0 imag index_select inf int int32 int64 inner isfinite isinf
    isnan kron le lerp lgamma digamma linspace log log10 log1p log2 logaddexp logcumsumexp logical_and logical_not
    logical_or logit logspace logsumexp long lt masked_fill masked_select matmul max maximum mean median meshgrid min
    minimum mm mode moveaxis mul multinomial mv nan nan_to_num nanmean nansum narrow ne neg no_grad norm numel ones
    ones_like outer permute pi polar pow prod quantile rand rand_like randint randn randn_like randperm real reciprocal
    relu remainder repeat_interleave reshape roll rot90 round rsqrt scatter scatter_add searchsorted select sgn
    sigmoid sign sin sinc sinh softmax sort split sqrt square squeeze stack std std_mean sub sum swapaxes take
    take_along_dim tan tanh tensor tensordot tile topk trace transpose trapezoid tril tril_indices triu triu_indices
    trunc unbind unflatten unsqueeze var var_mean view_as_complex view_as_real vstack hstack where zeros zeros_like
    log_softmax cdist bucketize cosine_similarity device Size dtype
""")
FFT = _words("fft ifft rfft irfft fft2 ifft2 rfft2 irfft2 fftfreq rfftfreq fftshift ifftshift hfft ihfft")
SPECIAL = _words(
    "ndtr ndtri log_ndtr erf erfc erfinv erfcx expit logit entr xlogy xlog1py gammaln digamma i0 i0e i1 i1e"
)
LINALG = _words("norm vector_norm matrix_norm cholesky solve solve_triangular inv det slogdet matrix_exp qr eigh svd")
NN = _words("""
    Module Parameter ModuleList Sequential Identity Linear Bilinear Embedding
    Conv1d Conv2d ConvTranspose1d Dropout Dropout1d LayerNorm GroupNorm RMSNorm GRU LSTM RNN GRUCell LSTMCell RNNCell
    MultiheadAttention ReLU ReLU6 LeakyReLU PReLU ELU SELU CELU GELU SiLU Mish GLU Sigmoid LogSigmoid Tanh Tanhshrink
    Softmax LogSoftmax Softplus Softsign Hardtanh Hardsigmoid Hardswish AvgPool1d MaxPool1d AdaptiveAvgPool1d
    AdaptiveMaxPool1d ReflectionPad1d ReplicationPad1d ConstantPad1d ZeroPad1d Flatten Unflatten Fold Unfold Upsample
    Softmax2d Threshold
""")
INIT = _words("""
    calculate_gain constant_ dirac_ eye_ kaiming_normal_ kaiming_uniform_ normal_ ones_ orthogonal_ sparse_
    trunc_normal_ uniform_ xavier_normal_ xavier_uniform_ zeros_
""")
FUNCTIONAL = _words("""
    adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d bilinear celu conv1d conv2d conv_transpose1d cosine_similarity
    dropout dropout1d elu embedding fold gelu glu group_norm gumbel_softmax hardsigmoid hardswish hardtanh interpolate
    layer_norm leaky_relu linear logsigmoid log_softmax max_pool1d mish normalize one_hot pad pairwise_distance prelu
    relu relu6 rms_norm scaled_dot_product_attention selu sigmoid silu softmax softmin softplus softsign tanh
    tanhshrink threshold unfold
""")

# module -> what may be taken from it; a name that is itself a key here is that module
MODULES: dict[str, frozenset[str]] = {
    "math": MATH,
    "torch": TORCH,
    "torch.fft": FFT,
    "torch.linalg": LINALG,
    "torch.nn": NN,
    "torch.nn.functional": FUNCTIONAL,
    "torch.nn.init": INIT,
    "torch.special": SPECIAL,
}
# modules of which single names may be imported, and nothing else
NAMES: dict[str, frozenset[str]] = {
    "__future__": _words("annotations"),
    "dataclasses": _words("dataclass"),
    "synthcity.nets.blocks.base": _words("BuildContext BuiltLengthBlock ResidualBlock"),
    "synthcity.nets.blocks.length": _words("at_length"),
    "synthcity.nets.blocks.precision": _words("full_precision"),
    "synthcity.nets.heads.decoder": _words("Pool StepDecoder zero_linear"),
    "synthcity.nets.heads.gbm": _words("GBMLaw level_spread"),
    "synthcity.nets.heads.law": _words(
        "Law Noise MIN_DOF MAX_DOF bounded_dof bounded_log_volatility normal normal_log_density student "
        "student_log_density student_noise uniform upper_tail"
    ),
    "synthcity.nets.heads.marginal": _words("scale_mixture_quantiles"),
    "synthcity.nets.parameters": _words("boolean choice integer real"),
    "synthcity.nets.registry": _words("register_block register_head"),
}
# they may stand in annotations alone: called, they give uninitialised memory or randomness that goes on between calls
ANNOTATIONS = _words("torch.Tensor torch.Generator")
# they change what they are given, so they may only stand above what the file itself defines
DECORATORS = _words("dataclass register_block register_head staticmethod property")
REGISTER = _words("register_block register_head")

BUILTINS = _words("""
    abs all any bool dict enumerate float int isinstance len list map max min pow range reversed round
    slice sorted str sum super tuple zip ArithmeticError RuntimeError TypeError ValueError NotImplementedError property
    staticmethod
""")

# of any value: tensors, modules, sizes, containers. No name begins with an underscore
ATTRIBUTES = (
    _words("""
    H T abs abs_ acos add add_ addmm all amax amin any argmax argmin argsort atan baddbmm bmm bool broadcast_to cat ceil
    chunk clamp clamp_ clip clone conj contiguous copy_ cos cosh count_nonzero cummax cumprod cumsum detach device
    diag diag_embed diagonal diff dim div div_ dot double dtype eq erf exp exp_ expand expand_as expm1 fill_ flatten
    flip float floor fmod frac ge gather gt half heaviside imag index_add index_select int is_complex
    is_floating_point isfinite isinf isnan item kron lerp le lgamma log log10 log1p log2 logaddexp logcumsumexp
    logical_and logical_not logical_or logit logsumexp long lt mH mT masked_fill masked_fill_ masked_select matmul
    max maximum mean median min minimum mm moveaxis mul mul_ mv nan_to_num nanmean nansum narrow ndim ne neg
    new_full new_ones new_tensor new_zeros norm normal_ numel ones outer permute pow prod quantile real reciprocal
        relu remainder repeat repeat_interleave requires_grad_ reshape reshape_as roll round rsqrt scatter
    scatter_ scatter_add scatter_add_ select sgn shape
    sigmoid sign sin sinh size softmax log_softmax sort split sqrt square squeeze std sub sub_ sum swapaxes t take
    take_along_dim tan tanh tile to topk transpose tril triu trunc type_as unbind unflatten unfold uniform_ unique
    unsqueeze var view view_as where zero_ xlogy bfloat16
    """)
    | _words("""
    forward mix mix_built register_buffer eval train training parameters named_parameters modules children weight bias
    in_features out_features weight_ih weight_hh bias_ih bias_hh weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0
    weight_ih_l1 weight_hh_l1 bias_ih_l1 bias_hh_l1 p eps norm dropout num_layers hidden_size batch_first
    in_proj_weight in_proj_bias out_proj
    """)
    | _words("""
    append extend insert pop items keys values get copy count index update startswith
    endswith join lower upper strip is_integer bit_length real imag start stop step
    """)
    | _words("""
    d_model seq_len num_features horizon num_future sample sample_strata draw_noise params quantiles log_prob
    values indices eps tiny smallest_normal
    """)
)
# what a class of the file may define although its base class has it too
OVERRIDABLE = _words("forward mix mix_built draw_noise sample sample_strata params quantiles log_prob extra_repr")
