"""Orrery: a caching proxy that speaks PostgreSQL's protocol. The map of the house, floor by floor.

The ground floor, three rooms that do not know each other: ``wire`` (bytes: the protocol), ``sql`` with
``schema`` (meaning: what a statement reads and may change), ``cache`` (memory: answers, generations,
tickets); beside them ``metrics`` counts.

The hall: ``session`` joins the rooms, one conversation at a time, without I/O.

The shell: ``net`` gives the hall its sockets, ``admin`` is the window in the wall.

The roof: ``service`` puts everything together, ``config`` is the only reader of the environment, ``cli``
the ``orrery`` command, ``check`` the network test before any of it.
"""
