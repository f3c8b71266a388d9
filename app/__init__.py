"""The planets API: FastAPI over Prisma. It knows DATABASE_URL and PORT, and nothing of a cache.

From the outside in: ``server`` (uvicorn and its end), ``main`` (the application), ``requests`` (ids and the
log line), ``planets``, ``health`` and ``page`` (the routes), ``models`` (what goes in and out), ``problems``
(errors), ``queries`` (every call of Prisma), ``engine_transport`` (its way to the engine); ``settings`` and
``database_url`` read the environment.
"""
