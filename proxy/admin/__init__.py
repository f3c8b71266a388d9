"""The window: an HTTP API beside the SQL port, loaded only where an admin address is on.

- ``snapshot``    what the house shows of itself, typed: API, terminal view and tests share it;
- ``app``         the FastAPI application; ``routes`` its endpoints; ``auth`` who may look and press;
- ``exposition``  the same figures for Prometheus;
- ``server``      the application on its socket, inside the proxy's own loop;
- ``client``      the other end, for ``orrery top`` and ``orrery purge``.
"""
