"""Who reads and writes: drivers under one face, the forms of statements, and what a client does next."""
