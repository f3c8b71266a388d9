"""Changes that come from elsewhere, and those that are told elsewhere: what makes several memories one.

Every worker leads a feed of its own writes and follows those of all others. A write is announced before it
can become visible and is sent only when every follower has suspended its reach, or can no longer answer from
memory; its end is told afterwards.

- ``membership``  the leader's side as a state machine: who is in, who has acknowledged, whose lease is over;
- ``leases``      the follower's side: until when it may answer from memory;
- ``messages``    what travels, one JSON array a line;
- ``link``        one connection between two workers;
- ``leader``      accepts followers and tells them; ``follower`` keeps the way to one leader;
- ``fleet``       joins them to the memory: announcements out, suspensions in.

The first two and ``messages`` do no I/O. Source of the rules: docs/guarantee.md, "Several workers".
"""
