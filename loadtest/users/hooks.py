"""Where this load test takes part in Locust's life: its arguments, the choice of users, begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from locust import events
from locust.exception import StopTest
from locust.runners import MasterRunner, WorkerRunner

from loadtest.samples import Sample
from loadtest.users.api import Editor
from loadtest.users.arguments import Arguments, add_arguments, read_arguments
from loadtest.users.run import RUN, CannotBegin
from loadtest.users.sql import SqlReader
from loadtest.users.tab import add_tab

if TYPE_CHECKING:
    from locust import User
    from locust.env import Environment


def prepare(environment: Environment, **_: object) -> None:
    """Choose the users, and add the tab to the web page."""
    # A worker learns from its master what to do, and who is to do it.
    if isinstance(environment.runner, WorkerRunner):
        return
    assert environment.parsed_options is not None
    arguments = read_arguments(environment.parsed_options)
    Editor.fixed_count = arguments.editors
    idle = idle_users(arguments)
    environment.user_classes = [chosen for chosen in environment.user_classes if chosen not in idle]
    add_tab(environment)


def idle_users(arguments: Arguments) -> set[type[User]]:
    """Those who would have nothing to do."""
    idle: set[type[User]] = set()
    if not arguments.sql_url:
        idle.add(SqlReader)
    if not arguments.edits_per_second:
        idle.add(Editor)
    return idle


def begin(environment: Environment, **_: object) -> None:
    """Begin the run. Raises StopTest, with which Locust ends, where it cannot begin."""
    # A master asks nothing by itself.
    if isinstance(environment.runner, MasterRunner):
        return
    try:
        RUN.begin(environment)
    except CannotBegin as error:
        environment.process_exit_code = 1
        raise StopTest(str(error)) from error


def end(**_: object) -> None:
    """End the run."""
    RUN.end()


def write_down(
    request_type: str, name: str, response_time: float, exception: object, start_time: float, **_: object
) -> None:
    """Write each request down as it ends."""
    failure = str(exception) if exception else ""
    RUN.write_down(Sample(start_time, request_type, name, response_time, failure))


events.init_command_line_parser.add_listener(add_arguments)
events.init.add_listener(prepare)
events.test_start.add_listener(begin)
events.test_stop.add_listener(end)
events.request.add_listener(write_down)
