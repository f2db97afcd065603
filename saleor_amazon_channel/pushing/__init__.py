"""From the outbox to Amazon: one module per kind of intent, and the runner."""
