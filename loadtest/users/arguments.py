"""What this load test adds to Locust's command line; a master hands it on to its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.argument_parser import LocustArgumentParser


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments, as ``add_arguments`` explains them."""

    seed: int
    edits_per_second: float
    editors: int
    generators: int
    samples: str
    sql_url: str
    stats_url: str
    stats_token: str


def read_arguments(parsed: Namespace) -> Arguments:
    """Our arguments in what Locust has parsed."""
    return Arguments(**{name: getattr(parsed, name) for name in Arguments.__slots__})


def add_arguments(parser: LocustArgumentParser) -> None:
    """Add them, each also with a default by which the file works alone."""
    group = parser.add_argument_group("Planets")
    add = group.add_argument
    add("--seed", type=int, default=1, help="the same seed asks the same")
    add("--edits-per-second", type=float, default=0.0, help="of all editors together; each renames a planet")
    add("--editors", type=int, default=1, help="how many of the users make those edits")
    add("--generators", type=int, default=1, help="how many Locust workers share the load")
    add(
        "--samples",
        default="",
        metavar="FILE",
        help="where each request is written down; a worker adds its number",
    )
    for name, variable, text in (
        ("--sql-url", "LOADTEST_SQL_URL", "a postgresql:// address; SQL users read there"),
        ("--stats-url", "LOADTEST_STATS_URL", "the proxy's /stats, for the tab Orrery"),
        ("--stats-token", "LOADTEST_STATS_TOKEN", "the proxy's admin token"),
    ):
        # By the environment, because a command line is open to every user of the machine.
        parser.add_argument(name, env_var=variable, default="", include_in_web_ui=False, help=text)
