"""``synthcity pull``: a published bundle comes back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from synthcity.cli.options import Output


@click.command("pull")
@click.argument("repo", metavar="HUB_REPO")
@click.option("--revision", help="Commit, branch or tag; by default the newest.")
@click.option("--competition", help="Which one, where the repository holds several.")
@click.option("--to", type=Output(is_folder=True), help="New folder for the bundle; by default its own name, here.")
@click.option("--trust-code", is_flag=True, help="Take, and run, what a language model wrote.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    repo: str, revision: str | None, competition: str | None, to: Path | None, trust_code: bool, as_json: bool
) -> None:
    """Bring back the bundle that was published in HUB_REPO (owner/name on the Hugging Face Hub), and check it.

    Hashes, forms and facts are checked, and it scores its test prompts again as it was published with. HF_TOKEN is
    needed for private repositories alone.

    \b
    Examples:
      synthcity pull somebody/synth-city --to bundles/theirs
      synthcity backtest bundles/theirs fhs --data STORE
    """
    from synthcity.publish.pull import pull

    found = pull(repo, revision=revision, competition=competition, to=to, trust_code=trust_code)
    told = found.publication
    if as_json:
        plain = {"folder": str(found.folder), "repo": found.repo, "commit": found.commit, "bundle": told.bundle}
        click.echo(json.dumps({**plain, "competition": told.competition, "rules": told.rules}, indent=1))
        return
    click.echo(f"{told.verdict}\n")
    click.echo(f"bundle      {found.folder}")
    click.echo(f"from        {found.repo} at {found.commit}")
    click.echo(f"made for    {told.competition} of {', '.join(told.assets)}, rules of {told.rules}")
