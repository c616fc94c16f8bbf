"""A group of commands whose list gives each its whole first sentence."""

from __future__ import annotations

import click

_LONGEST = 300  # characters of a sentence; click's own list cuts at the width of the terminal


class Group(click.Group):
    """As click's; what a command does is wrapped and not cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_LONGEST)) for name, command in found if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
