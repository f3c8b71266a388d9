"""The counting: plain integers and fixed buckets, cheap enough to stand on the path of a hit.

- ``counters``   outcomes, clients, origin connections and latencies of one process;
- ``histogram``  latencies in logarithmic buckets;
- ``templates``  the same by statement template and role, for ``SHOW orrery.queries``;
- ``catalogue``  the one table of everything that is told, and the shapes it is told in.

Nothing here reads a clock or knows who asks.
"""
