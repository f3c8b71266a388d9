"""net.pool: who gets which connection, decided without one."""

from __future__ import annotations

from proxy.net.pool import Action, Close, Lend, Open, Pool, PoolOptions, Refuse, Seat, Waiter

OPTIONS = PoolOptions(size=2, wait_seconds=10.0, idle_seconds=60.0, lifetime_seconds=600.0, statements=200)


class Play:
    """A pool, and connections that open as soon as the test says so."""

    def __init__(self, options: PoolOptions = OPTIONS) -> None:
        self.pool = Pool(options)
        self.now = 0.0
        self.lent: dict[Waiter, Seat] = {}

    def want(self, login: str = "alice", **known: frozenset[str]) -> Waiter:
        waiter = Waiter(login, self.now + OPTIONS.wait_seconds, object(), known.get("customs", frozenset()))
        self.pool.want(waiter)
        return waiter

    def decide(self) -> list[Action]:
        actions = self.pool.decide(self.now)
        self.lent.update({one.waiter: one.seat for one in actions if isinstance(one, Lend)})
        return actions

    def open(self, waiter: Waiter) -> Seat:
        seat = Seat(waiter.login, self.now + OPTIONS.lifetime_seconds)
        self.pool.opened(waiter, seat, self.now)
        return seat

    def serve(self, login: str = "alice") -> Seat:
        """One more waiter that gets a connection, opened where there is none."""
        waiter = self.want(login)
        for action in self.decide():
            if isinstance(action, Open):
                self.open(action.waiter)
                self.decide()
        return self.lent[waiter]

    def give_back(self, seat: Seat, *, usable: bool = True) -> list[Action]:
        return self.pool.give_back(seat, self.now, usable=usable)


def test_a_connection_is_opened_where_there_is_none_and_lent_again_when_it_is_free() -> None:
    play = Play()
    seat = play.serve()
    play.give_back(seat)
    assert play.serve() is seat
    assert repr(play.pool) == "<Pool of 2: 1 open, 0 free, 0 waiting>"


def test_no_more_are_opened_than_the_limit_says_however_many_come_at_once() -> None:
    play = Play()
    waiters = [play.want() for _ in range(100)]
    assert [type(action) for action in play.decide()] == [Open, Open]
    assert (play.pool.open, play.pool.waiting) == (2, 100)
    assert play.decide() == []
    seat = play.open(waiters[0])
    play.open(waiters[1])
    assert [a.waiter for a in play.decide() if isinstance(a, Lend)] == waiters[:2]
    play.give_back(seat)
    assert [a.waiter for a in play.decide() if isinstance(a, Lend)] == waiters[2:3]


def test_whoever_has_waited_too_long_is_refused_and_leaves_the_queue() -> None:
    play = Play()
    play.serve()
    play.serve()
    late = play.want()
    play.decide()
    assert play.pool.next_moment() == OPTIONS.wait_seconds
    play.now = OPTIONS.wait_seconds
    assert play.decide() == [Refuse(late)]
    assert play.pool.waiting == 0


def test_another_login_gets_the_place_of_the_one_that_is_free_for_longest_once_that_is_closed() -> None:
    play = Play()
    first, second = play.serve(), play.serve()
    play.give_back(first)
    play.now = 1.0
    play.give_back(second)
    bob = play.want("bob")
    assert play.decide() == [Close(first)]
    assert play.decide() == []
    assert play.pool.open == 2
    play.pool.gone(first)
    assert play.decide() == [Open(bob)]


def test_who_waits_for_room_is_not_overtaken_by_one_who_needs_room_too() -> None:
    play = Play()
    one, _ = play.serve(), play.serve()
    play.give_back(one)
    bob, carol = play.want("bob"), play.want("carol")
    assert play.decide() == [Close(one)]
    play.pool.gone(one)
    assert play.decide() == [Open(bob)]
    play.pool.withdraw(carol)
    assert play.pool.waiting == 1


def test_a_session_gets_the_connection_that_it_had_before() -> None:
    play = Play()
    first, second = play.serve(), play.serve()
    for seat in (first, second):
        play.give_back(seat)
    again = Waiter("alice", 10.0, first.guest or object())
    play.pool.want(again)
    assert play.decide() == [Lend(again, first)]


def test_one_that_counts_for_somebody_is_given_to_others_when_there_is_nothing_better() -> None:
    play = Play()
    counting = play.serve()
    counting.held = True
    play.give_back(counting)
    other = play.want()
    assert play.decide() == [Open(other)]
    play.open(other)
    assert play.decide()[0] == Lend(other, play.lent[other])
    third = play.want()
    assert play.decide() == [Lend(third, counting)]


def test_one_that_knows_settings_which_the_session_never_made_is_not_lent_to_it() -> None:
    play = Play()
    seat = play.serve()
    seat.customs = frozenset(("app.user",))
    play.give_back(seat)
    pure = play.want()
    assert play.decide() == [Open(pure)]
    knowing = play.want(customs=frozenset(("app.user", "app.role")))
    assert Lend(knowing, seat) in play.decide()


def test_what_is_unusable_retired_or_too_old_is_closed_when_it_comes_back() -> None:
    play = Play()
    seat = play.serve()
    assert play.give_back(seat, usable=False) == [Close(seat)]
    play.pool.gone(seat)
    seat = play.serve()
    assert play.pool.retire() == []
    assert play.give_back(seat) == [Close(seat)]
    play.pool.gone(seat)
    seat = play.serve()
    play.now = OPTIONS.lifetime_seconds
    assert play.give_back(seat) == [Close(seat)]


def test_free_ones_go_when_they_are_idle_for_too_long_retired_or_in_the_way() -> None:
    play = Play()
    for end in ("idle", "retired", "in the way"):
        seat = play.serve()
        play.give_back(seat)
        assert play.pool.tidy(play.now) == []
        if end == "idle":
            play.now += OPTIONS.idle_seconds
            assert play.pool.tidy(play.now) == [Close(seat)]
        else:
            assert (play.pool.retire() if end == "retired" else play.pool.let_go()) == [Close(seat)]
        play.pool.gone(seat)
    assert play.pool.open == 0


def test_where_the_origin_is_not_there_all_who_wait_are_told_and_the_next_attempt_is_later() -> None:
    play = Play()
    waiters = [play.want() for _ in range(3)]
    play.decide()
    assert play.pool.failed(waiters[0], play.now, unreachable=True) == waiters
    later = play.want()
    assert play.decide() == []
    assert 0.0 < play.pool.next_moment() < 1.0
    play.now = play.pool.next_moment()
    play.pool.failed(waiters[1], play.now, unreachable=False)
    assert play.decide() == [Open(later)]


def test_where_others_have_connections_one_may_come_free_so_only_who_wanted_a_new_one_is_told() -> None:
    play = Play()
    play.serve()
    patient = play.want()
    assert play.decide() == [Open(patient)]
    assert play.pool.failed(patient, play.now, unreachable=True) == []
    assert play.pool.waiting == 1


def test_a_login_that_is_refused_concerns_nobody_else() -> None:
    play = Play()
    refused, other = play.want(), play.want()
    play.decide()
    assert play.pool.failed(refused, play.now, unreachable=False) == [refused]
    assert play.pool.waiting == 1
    play.pool.withdraw(other)


def test_who_wants_a_new_connection_gets_that_very_one() -> None:
    play = Play()
    play.give_back(play.serve())
    asking = Waiter("alice", 10.0, object(), fresh=True)
    play.pool.want(asking)
    assert play.decide() == [Open(asking)]
    seat = Seat("alice", 600.0)
    assert play.pool.opened(asking, seat, play.now) == [Lend(asking, seat)]
