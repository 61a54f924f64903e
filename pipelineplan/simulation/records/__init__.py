"""Single records: the literal model that the fluid is held to (T0), and waits record by record (T2)."""
