"""The shell: sockets, TLS, timers and tasks around the sans-I/O session.

A client's way in: ``listener`` accepts, ``login`` lets in (``roles`` knows who), ``client``
then joins its socket to a session, ``origin`` is the connection lent to it. What is known
of the origin: ``directory`` and ``catalogue`` (what is in its databases), ``freshness`` (is
it there, is it the same, which level of the guarantee holds), ``predecessors`` and
``doubt`` (writes of others, and of ours, whose end nobody has told us). ``janitor`` is what
the memory needs done between other work.
"""
