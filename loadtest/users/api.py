"""Users of the planets API: many who read, few who edit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent
from locust import FastHttpUser, task
from locust.exception import StopUser

from loadtest.popularity import Popularity
from loadtest.users.run import RUN
from loadtest.visits import EDITS_PER_SESSION, LOOK_SECONDS, READER_SECONDS, Arrivals, Rounds, read, seeded

if TYPE_CHECKING:
    from locust.contrib.fasthttp import FastResponse
    from locust.env import Environment

_ONE = "/planets/{id}"


class Reader(FastHttpUser):
    """Opens one planet after the other, the popular ones more often, and now and then the list."""

    weight = 2
    insecure = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._random = seeded(RUN.arguments.seed, "reader", RUN.number("reader"))
        self._popularity = Popularity(RUN.ranked)
        self._arrivals = Arrivals(self._random, READER_SECONDS, time.monotonic())

    def wait_time(self) -> float:
        """Until the next moment that was drawn."""
        return self._arrivals.wait(time.monotonic())

    @task
    def open_page(self) -> None:
        """Read, and count as failed what is not about the planet that was asked for."""
        path, name = read(self._random, self._popularity)
        with self.client.get(path, name=name, catch_response=True) as response:
            if response.status_code == 200 and name == _ONE:
                answered = _planet(response).get("id")
                if str(answered) != path.rpartition("/")[2]:
                    response.failure(f"another planet was answered: {answered}")


class Editor(FastHttpUser):
    """Renames planets of its own, and must find each new name in the very next read.

    No two editors rename the same planet: a name that is not the one just given is a stale answer.
    """

    fixed_count = 1
    insecure = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        arguments = RUN.arguments
        self._number = RUN.number("editor")
        self._random = seeded(arguments.seed, "editor", self._number)
        self._own = RUN.ranked[self._number :: arguments.editors * arguments.generators]
        self._edits = 0
        # Names that no earlier run has given, or an old answer could pass for a new one.
        self._edition = f"{int(time.time()):x}.{self._number}"
        every_seconds = EDITS_PER_SESSION * arguments.editors / max(arguments.edits_per_second, 1e-9)
        self._rounds = Rounds(self._random, every_seconds, time.monotonic())

    def on_start(self) -> None:
        """Wait for the first session, or leave where no planet is left to be its own."""
        if not self._own:
            raise StopUser
        gevent.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Until the next session of edits."""
        return self._rounds.wait(time.monotonic())

    @task
    def edit(self) -> None:
        """One session: open a planet, then rename and look, several times."""
        popularity = Popularity(self._own)
        self.client.get(f"/planets/{popularity.pick(self._random)}", name=_ONE)
        for _ in range(EDITS_PER_SESSION):
            self._rename(popularity.pick(self._random))
            gevent.sleep(LOOK_SECONDS)

    def _rename(self, planet_id: int) -> None:
        self._edits += 1
        name = f"Planet {planet_id}, edition {self._edition}.{self._edits}"
        changed = self.client.patch(f"/planets/{planet_id}", json={"name": name}, name=_ONE)
        if changed.status_code != 200:
            return
        with self.client.get(f"/planets/{planet_id}", name="own write", catch_response=True) as response:
            if response.status_code == 200 and _planet(response).get("name") != name:
                response.failure("stale: the read after a PATCH did not show its name")


def _planet(response: FastResponse) -> dict[str, object]:
    """The planet in an answer, empty where there is none."""
    try:
        answer: object = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
