"""From Python's types to the protocol's values and back: schemas, arguments, results. Knows nothing of hosts."""
