"""Play the same histories from a seed: no shrinking, but a hundred times the steps in a second, for hunts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random

from proxy.cache.tags import ORIGIN, Reach, relations_of, whole
from tests.laws.histories import KEYS, RARELY, Histories
from tests.laws.world import CAP, DATABASES, OIDS


def some_oids(random: Random) -> list[int]:
    return random.sample(OIDS, random.randint(1, 2))


def some_reach(random: Random) -> Reach:
    database = random.choice(DATABASES)
    roll = random.random()
    if roll < 0.9:
        return relations_of(database, some_oids(random))
    return whole(database) if roll < 0.95 else ORIGIN


def moves(machine: Histories, random: Random) -> Iterator[Callable[[], None]]:
    """Every step that is possible now, the usual ones more than once."""
    world, pick = machine.w, random.randrange(50)
    for key in KEYS:
        if world.queries:
            yield partial(machine.a_client_reads, pick=pick, key=key)
            yield partial(machine.a_client_reads_until_it_is_remembered, pick=pick, key=key)
    if world.fills:
        yield lambda: machine.the_origin_takes_a_snapshot(pick=pick)
        yield lambda: machine.an_answer_lands_or_its_leader_is_lost(pick=pick)
    if world.writes:
        yield lambda: machine.the_origin_commits(pick=pick)
        yield lambda: machine.the_origin_answers_a_write(pick=pick)
    if world.memory.expiring:
        yield lambda: machine.somebody_writes_past_us(reach=some_reach(random))
    yield lambda: machine.a_write_is_sent(reach=some_reach(random))
    yield lambda: machine.a_write_runs_through(reach=some_reach(random))
    yield lambda: machine.time_passes(seconds=random.uniform(0.0, CAP / 4))
    if random.random() < 0.2:
        yield lambda: machine.something_rare_happens(
            event=random.choice(RARELY),
            pick=pick,
            reach=some_reach(random),
            database=random.choice(DATABASES),
            relations=some_oids(random),
        )


def play(machine: Histories, seed: int, steps: int) -> None:
    """One history; raises AssertionError where a law is broken."""
    random = Random(seed)
    reads = [(random.choice(DATABASES), some_oids(random)) for _ in range(3)]
    machine.the_world_begins(expiring=random.random() < 0.3, reads=reads)
    for _ in range(steps):
        random.choice(list(moves(machine, random)))()
        machine.memory_is_bounded_and_its_counts_are_true()
