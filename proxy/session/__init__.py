"""The hall that joins bytes, meaning and memory: one client's conversation as a state machine, without I/O.

``session`` decides who answers, ``uplink`` carries the rest to the origin, ``port`` is all that both may
ask of the world. A client's messages become a ``batch`` in ``intake``; a batch that was sent is an
``exchange``; what it may change, and has changed, is in ``effects``. ``outlook`` knows what texts mean to
this session now (``shapes``, ``understanding``), ``state`` and ``transaction`` what that depends on.
``hits`` is the short way of what is remembered, ``own`` answers the commands of the proxy itself,
``handshake`` holds both logins.
"""
