"""``orrery koyeb``: what a deployment needs to be told, made from the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from deploy import repository as repositories
from deploy.button import Builder, badge, deploy_url
from deploy.plan import MANIFEST, load
from proxy import config
from proxy.errors import ConfigurationError

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_MISUSED: Final = 2
ManifestOption = Annotated[
    Path, typer.Option("--manifest", metavar="FILE", help="The manifest that it is made from.")
]


@app.callback(invoke_without_command=True)
def koyeb(context: typer.Context) -> None:
    """What a deployment on Koyeb needs to be told, made from koyeb.yaml. The guide: docs/deploy-koyeb.md."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(_MISUSED)


@app.command()
def button(
    repository: Annotated[
        str | None,
        typer.Option(metavar="ORG/REPO", help="On GitHub; else the one that this checkout came from."),
    ] = None,
    branch: Annotated[str | None, typer.Option(help="Else the manifest's.")] = None,
    builder: Annotated[Builder, typer.Option(help="What builds the service.")] = "dockerfile",
    markdown: Annotated[bool, typer.Option("--markdown", help="The button for a README.")] = False,
    manifest: ManifestOption = MANIFEST,
) -> int:
    """Print the address of the button: the app with its proxy beside it, in the manifest's regions."""
    plan = load(manifest)
    place = repositories.named(repository) if repository else repositories.of_checkout(manifest.parent)
    if place is None:
        place = repositories.PLACEHOLDER
        typer.echo(
            f"orrery: no remote on GitHub here: put yours in place of {place}, or give --repository",
            err=True,
        )
    url = deploy_url(plan, place, branch, builder)
    typer.echo(badge(url) if markdown else url)
    return 0


@app.command()
def url(
    database: Annotated[
        str | None, typer.Argument(metavar="URL", help="The database; else ORRERY_ORIGIN, else DATABASE_URL.")
    ] = None,
    manifest: ManifestOption = MANIFEST,
) -> int:
    """Print the database's URL by way of the cache, for the manifest's api.

    It contains the password; send it on: | koyeb secrets create planets-cache-url --value-from-stdin
    """
    plan = load(manifest)
    origin = config.origin(database, "URL")
    if origin.password is None:
        raise ConfigurationError("the URL has no password: the cache lets nobody in without one")
    typer.echo(origin.rewritten(plan.cache_host, plan.cache_port))
    return 0
