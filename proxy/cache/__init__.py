"""The memory: remembered answers, what they depend on, and when they may no longer be given.

This room knows neither SQL nor frames: a statement is a ``Slot``, a request a key of bytes, a table a number.
Read it in this order:

- ``policy``  the bounds of everything below, each with its reason;
- ``facets``  the ways of looking at one relation: which columns, and whether one row at a time;
- ``buckets`` a generation for each value that single rows are found by, in one table of fixed size;
- ``tags``    a generation for each relation and facet; a write's reach suspends them, then raises them;
- ``index``   the entries of one slot by key, in dicts that never grow large;
- ``entry``   ``Slot`` (one cacheable statement in one scope) and ``Entry`` (one remembered answer);
- ``store``   which entries stay: S3-FIFO, bounded in bytes, every step O(1);
- ``fills``   who is fetching what: tickets, and flights that equal misses share;
- ``ttl``     how long an answer may live where not every write passes through us;
- ``scopes``  everything else that shapes answers, folded into one small integer;
- ``memory``  the facade, and the only module the session calls: lookup, ticket, land, suspend, end, drop.

The life of an answer: ``ticket`` before Bind is sent, ``land`` at ReadyForQuery (refused if any generation it
depends on moved meanwhile or is suspended), ``lookup`` while nothing moved and it has not expired. The life
of a write: ``suspend`` before the message that can commit is sent, ``end`` when ReadyForQuery came and before
that is handed on.
"""
