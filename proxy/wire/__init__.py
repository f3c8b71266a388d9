"""Bytes: the PostgreSQL protocol, version 3, and no meaning beyond it.

``framing`` cuts a stream, ``frontend`` and ``backend`` read and build what the two sides say, ``startup``
does so for the packets before them, ``scram`` computes a login, ``trace`` shows a frame to humans.
"""
