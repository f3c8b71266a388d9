"""The ``orrery`` command: thin, it reads options and calls the room that does the work.

Exit status: 0 done, 1 failed, 2 wrong usage or configuration. Expected errors are one sentence on stderr.
"""

from __future__ import annotations

import logging
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Final

import typer
import uvloop

from proxy import config, limits, logs
from proxy.admin.client import AdminWindow
from proxy.bundle import CommandNotStarted, run_beside, start_command
from proxy.cli_options import with_settings
from proxy.errors import ConfigurationError, OrreryError
from proxy.option_types import Address

logger = logging.getLogger(__name__)

FAILED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130  # what a shell reports of SIGINT

# Where `run` differs from `serve`: it serves one command on this machine.
_BUNDLED: Final = {"listen": "127.0.0.1:0", "admin": "off"}

app = typer.Typer(
    name="orrery",
    help="A caching proxy for PostgreSQL: repeated reads are answered from memory, and never wrongly.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
AdminOption = Annotated[
    str | None,
    typer.Option("--admin", metavar="HOST:PORT", help="The proxy's admin address; else ORRERY_ADMIN."),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status."""
    try:
        status = typer.main.get_command(app).main(arguments, prog_name="orrery", standalone_mode=False)
    except CommandNotStarted as error:
        return _told(error, error.status)
    except ConfigurationError as error:
        return _told(error, MISUSED)
    except OrreryError as error:
        return _told(error, FAILED)
    except typer.TyperException as error:
        return _told(error, MISUSED)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return status if isinstance(status, int) else 0


@app.callback(invoke_without_command=True)
def orrery(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """A caching proxy for PostgreSQL: repeated reads are answered from memory, and never wrongly."""
    if show_version:
        typer.echo(f"orrery {_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(MISUSED)


@app.command()
@with_settings
def serve(options: dict[str, object]) -> int:
    """Run the proxy in the foreground. SIGTERM drains and stops it, SIGHUP reads users and certificates anew.

    It prints "ready postgresql://HOST:PORT" when it accepts clients. Every option is also ORRERY_<OPTION>.
    """
    settings = config.load(options)
    from proxy import service  # noqa: PLC0415 - it loads the parser, which no other command needs

    _prepare(settings)
    return uvloop.run(service.serve(settings))


@app.command(context_settings={"allow_interspersed_args": False})
@with_settings
def run(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The command and its arguments.")],
    options: dict[str, object],
) -> int:
    """Run COMMAND beside a proxy of its own.

    Its DATABASE_URL leads through the proxy to the same database. Signals go
    to COMMAND, its exit status is ours, and its end ends the proxy.
    """
    settings = config.load(options, _BUNDLED)
    from proxy.service import proxy_of  # noqa: PLC0415 - it loads the parser, which no other command needs

    _prepare(settings)

    async def bundle() -> int:
        service = proxy_of(settings)

        async def start() -> Process:
            environment = config.child_environment(settings, _reached_from_here(*service.address))
            return await start_command(command, environment)

        return await run_beside(service, start, settings.drain_seconds)

    return uvloop.run(bundle())


@app.command()
def check(
    url: Annotated[
        str | None, typer.Argument(help="The database; else ORRERY_ORIGIN, else DATABASE_URL.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of sentences.")] = False,
) -> int:
    """Test whether the proxy can work before a database.

    Tells what is in the way, and how fresh the answers can be. Exit status 0: it can, 1: it cannot, and
    why, 2: the URL is wrong.
    """
    from proxy.check.run import examine  # noqa: PLC0415 - it loads a driver, which no other command needs

    report = uvloop.run(examine(config.origin(url, "URL")))
    typer.echo(report.as_json() if json else report.as_text())
    return 0 if report.works else FAILED


@app.command()
def top(
    admin: AdminOption = None,
    interval: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="Between two looks.")
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print one look and exit.")] = False,
) -> int:
    """Watch a running proxy: outcomes, memory, latencies, statements."""
    from proxy.top import watch  # noqa: PLC0415 - it loads the terminal library

    with suppress(KeyboardInterrupt):  # the usual way out
        watch(_window(admin), interval, once=once)
    return 0


@app.command()
def purge(
    admin: AdminOption = None,
    table: Annotated[
        str | None, typer.Option(metavar="[SCHEMA.]TABLE", help="Only what read this table.")
    ] = None,
) -> int:
    """Drop remembered answers, all or those of one table."""
    typer.echo(f"{_window(admin).purge(table)} entries dropped")
    return 0


# What it takes and its help are its own affair.
@app.command(
    add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def koyeb(context: typer.Context) -> object:
    """Print what a deployment on Koyeb is told."""
    try:
        from deploy.commands import app as commands  # noqa: PLC0415 - an image has no use for it
    except ModuleNotFoundError:
        raise ConfigurationError("koyeb: run this in a checkout, where the manifest is") from None
    return typer.main.get_command(commands).main(
        context.args, prog_name="orrery koyeb", standalone_mode=False
    )


def _window(admin: str | None) -> AdminWindow:
    return AdminWindow(config.admin_address(admin), config.admin_token())


def _prepare(settings: config.Settings) -> None:
    """Set the process up: its log, and room for as many clients as were asked for."""
    logs.configure(settings.log_format)
    files = limits.raise_open_files(settings.max_clients)
    fit = min(limits.clients_that_fit(files), settings.max_clients)
    level = logging.WARNING if fit < settings.max_clients else logging.INFO
    logger.log(level, "event=room clients=%d wanted=%d open_files=%d", fit, settings.max_clients, files)


def _reached_from_here(host: str, port: int) -> Address:
    """Where a process of this machine finds a proxy that listens on ``host``."""
    return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)  # noqa: S104 - compared, not bound


def _version() -> str:
    try:
        return version("orrery")
    except PackageNotFoundError:
        return "(not installed)"


def _told(error: Exception, status: int) -> int:
    _say(str(error).replace("\n", " "))
    return status


def _say(sentence: str) -> None:
    typer.echo(f"orrery: {sentence}", err=True)
