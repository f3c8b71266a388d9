"""``orrery check``: can the proxy work before this database, and how fresh can its answers be?

- ``findings``   what was found, one sentence each, and the report made of them;
- ``way``        name, port and TLS;
- ``questions``  what the origin says of itself, of the role and of other writers;
- ``verdict``    from those facts to findings and the level of freshness; no I/O;
- ``run``        all of it, in order, until something stands in the way.
"""
