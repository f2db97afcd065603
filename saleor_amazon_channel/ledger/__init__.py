"""The ledger: what Amazon told us, kept before it is judged."""
