"""``synthcity``: the command and its lazily loaded groups."""

from __future__ import annotations

import importlib
import sys

import click

from synthcity import plugins
from synthcity.errors import ConfigError, SynthcityError, unknown_name

KIND = "commands"
# command -> (module, one line for --help); the module is imported only when the command runs
COMMANDS = {
    "agent": ("synthcity.cli.agent", "Let one language-model agent work alone with its tools."),
    "backtest": ("synthcity.cli.backtest", "Compare forecasters prompt by prompt on past prices."),
    "bridge": ("synthcity.cli.bridge", "Serve runs, searches, prices and the miner's board over HTTP and MCP."),
    "client": ("synthcity.cli.client", "Ask a bridge from the command line."),
    "cluster": ("synthcity.cli.cluster", "Start, watch and end a cluster of nodes that trials run on."),
    "combine": ("synthcity.cli.combine", "Make one bundle of several, each for its own competition or assets."),
    "components": ("synthcity.cli.components", "List and explain the blocks and heads of networks."),
    "data": ("synthcity.cli.data", "Download, import, inspect and simulate price history."),
    "doctor": (
        "synthcity.cli.doctor",
        "Look at versions, cores, disks, ports, venues, keys and clock of this machine.",
    ),
    "experiment": ("synthcity.cli.experiment", "Train and judge one network of your choice."),
    "history": ("synthcity.cli.history", "List past runs, of this machine and elsewhere, and follow their leads."),
    "library": ("synthcity.cli.library", "List, read, promote and drop what researches have kept."),
    "local-llm": ("synthcity.cli.local_llm", "Serve a small real language model on this machine."),
    "mcp": ("synthcity.cli.mcp", "Serve one agent the tools of the bridge over standard input and output."),
    "mine": ("synthcity.cli.mine", "Answer validators, and settle what the answers were worth."),
    "pipeline": ("synthcity.cli.pipeline", "Search again and again by itself, champion to champion."),
    "publish": ("synthcity.cli.publish", "Publish what a run has proven, on the Hugging Face Hub or elsewhere."),
    "pull": ("synthcity.cli.pull", "Bring a published bundle back, and check it."),
    "quick": ("synthcity.cli.quick", "Train and judge a small network on a simulated market in a minute or two."),
    "refit": ("synthcity.cli.refit", "Train a frozen winner again on the newest prices."),
    "replay": ("synthcity.cli.replay", "Estimate what a forecaster would have earned among the real miners."),
    "research": ("synthcity.cli.research", "Find inputs and forecasters that are not packaged, and prove them."),
    "runs": ("synthcity.cli.runs", "Look into runs of this machine, compare them, and go on with them."),
    "search": ("synthcity.cli.search", "Find and prove the best forecaster for a competition."),
    "serve": ("synthcity.cli.serve", "Serve a forecaster over HTTP, for validators, people and tools."),
    "sweep": ("synthcity.cli.sweep", "Train known-good networks side by side and judge the best."),
    "vault": ("synthcity.cli.vault", "Keep runs, bundles and prices in a folder or bucket elsewhere, too."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use, so that ``--help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(plugins.merged(KIND, COMMANDS))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            command: object = importlib.import_module(COMMANDS[name][0]).command
        elif (plugin := plugins.find(KIND, name)) is not None:
            command = plugins.load(plugin)
            if not isinstance(command, click.Command):
                raise ConfigError(f"the {plugin} must be a click.Command, not {type(command).__name__}")
        else:
            return None
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _about(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(unknown_name("command", args[0], known))
        return super().resolve_command(ctx, args)


def _about(name: str) -> str:
    """What --help says of a command; one of another distribution is not imported for that."""
    if name in COMMANDS:
        return COMMANDS[name][1]
    plugin = plugins.installed(KIND)[name]
    return f"(from {plugin.distribution} {plugin.version})"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="synth-city", prog_name="synthcity")
def cli() -> None:
    """Find, prove and serve forecasting models for miners of Bittensor Subnet 50.

    Start with `synthcity search configs/quickstart.yaml`: it needs no keys, no network and no data.
    """


def main() -> None:
    """Run the command line; a deliberate error prints one sentence and sets the exit code."""
    try:
        cli(standalone_mode=True)
    except SynthcityError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        from synthcity.extras import extra_of, remedy

        extra = extra_of(error.name)
        if extra is None:
            raise
        click.echo(f"error: this command needs {error.name}; {remedy(extra)}", err=True)
        sys.exit(ConfigError.exit_code)
