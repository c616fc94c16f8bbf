"""``synthcity doctor``: what this machine has, and what of it will be in the way."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from synthcity.cli.options import LocalPath
from synthcity.cli.table import print_table
from synthcity.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from synthcity.serve.preflight import Check
    from synthcity.settings import Settings

_PACKAGES = ("synth-city", "torch", "ray", "optuna", "numpy", "pandas", "pyarrow", "rich")
_GIB = 2**30
_MEMORY, _SHARED, _DISK = 4.0, 1.0, 5.0  # GiB that a search with two workers is at ease with
_PORTS = {8091: "serve, mine", 8265: "Ray's dashboard"}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Ask nobody: leave out the venues and the clock.")
@click.option("--runs", type=LocalPath(path_type=Path), default=Path("runs"), show_default=True, help="Where runs go.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for tools.")
def command(offline: bool, runs: Path, as_json: bool) -> None:
    """Look at versions, cores, memory, disks, ports, venues, keys and clock, and say what will be in the way.

    A key is told to be set or not; its value is shown nowhere. Ends with 2 if something failed.

    \b
    Examples:
      synthcity doctor
      synthcity doctor --offline --json
    """
    from synthcity.serve.preflight import CheckState

    found = list(examine(runs, offline=offline))
    if as_json:
        click.echo(json.dumps([asdict(check) for check in found], indent=1))
    else:
        print_table(["", "what", "found"], [[check.state, check.name, check.text] for check in found])
    if failed := [check.name for check in found if check.state is CheckState.FAILED]:
        raise ConfigError(f"{', '.join(dict.fromkeys(failed))} failed, see above")


def examine(runs: Path, *, offline: bool) -> Iterator[Check]:
    """Make every check; none of them raises, whatever is broken."""
    from synthcity.settings import Settings

    yield from _software()
    yield from _machine(runs)
    yield from _ports()
    try:
        settings = Settings.load()
    except ConfigError as error:
        yield _told("settings", str(error), failed=True)
        return
    yield from _keys(settings)
    if not offline:
        yield from _others(settings)


def _told(name: str, text: str, *, warning: bool = False, failed: bool = False) -> Check:
    from synthcity.serve.preflight import Check, CheckState

    state = CheckState.FAILED if failed else CheckState.WARNING if warning else CheckState.OK
    return Check(name=name, state=state, text=text)


def _software() -> Iterator[Check]:
    versions = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, version in versions.items() if version is None and name != "synth-city"]
    text = ", ".join([f"python {platform.python_version()}", *(f"{n} {v}" for n, v in versions.items() if v)])
    yield _told("versions", text + (f"; not installed: {', '.join(missing)}" if missing else ""), failed=bool(missing))
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken build fails in any way, and that is what is asked
        yield _told("torch", f"cannot be loaded: {type(error).__name__}: {error}", failed=True)
        return
    cards = [torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())]
    build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built for the CPU alone"
    yield _told("torch", f"{build}; {', '.join(cards) or 'no graphics card'}")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _machine(runs: Path) -> Iterator[Check]:
    from synthcity.cluster.local import available_cpus, free_memory
    from synthcity.search.screen.frame import overload

    busy = overload()
    yield _told("cores", f"{available_cpus()} for this process{'; ' if busy else ''}{busy}", warning=bool(busy))
    memory = free_memory() / _GIB
    yield _told("memory", f"{memory:.1f} GiB free; {_MEMORY:.0f} are enough for two workers", warning=memory < _MEMORY)
    with contextlib.suppress(OSError):  # a system without it needs none
        shared = shutil.disk_usage("/dev/shm").free / _GIB
        hint = "" if shared >= _SHARED else "; Ray is slower with less than 1, in Docker say --shm-size=2g"
        yield _told("shared", f"{shared:.1f} GiB free in /dev/shm{hint}", warning=shared < _SHARED)
    for what, folder in (("runs", _existing(runs)), ("temporary", Path(tempfile.gettempdir()))):
        free, writable = shutil.disk_usage(folder).free / _GIB, os.access(folder, os.W_OK)
        text = f"{free:.1f} GiB free in {folder}" + ("" if writable else ", where nothing can be written")
        yield _told(what, text, warning=free < _DISK, failed=not writable)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    folder = folder.expanduser().absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _ports() -> Iterator[Check]:
    from synthcity.serve.preflight import CheckState, check_address

    for port, used_by in _PORTS.items():
        taken = check_address("127.0.0.1", port, None).state is CheckState.FAILED
        yield _told(f"port {port}", f"{'taken by another program' if taken else 'free'} ({used_by})", warning=taken)


def _keys(settings: Settings) -> Iterator[Check]:
    from synthcity.settings import Secret

    names = settings.variables()
    given = {names[name][0]: bool(value) for name, value in vars(settings).items() if isinstance(value, Secret)}
    there, absent = ([name for name, known in given.items() if known is wanted] for wanted in (True, False))
    text = f"set: {', '.join(there) or 'none'}; not set: {', '.join(absent) or 'none'}; a search needs none"
    yield _told("keys", text)


def _others(settings: Settings) -> Iterator[Check]:
    """Ask all venues, and the server whose clock ours is compared with, at once."""
    from synthcity.market.venues.official import known_venues
    from synthcity.serve.preflight import check_clock, clock_offset

    def reached(name: str, url: str) -> Check:
        try:
            clock_offset(url)
        except SourceError as error:
            return _told(name, str(error), warning=True)
        return _told(name, f"answers at {url}")

    asked = {venue.name: settings.venue_urls.get(venue.name, venue.url) for venue in known_venues()}
    asked["synth"] = settings.synth_api_url
    with ThreadPoolExecutor(len(asked) + 1) as pool:
        clock = pool.submit(check_clock, settings.synth_api_url)
        yield from pool.map(reached, asked, asked.values())
        yield clock.result()
