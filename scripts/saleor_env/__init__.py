"""What Ring 2 needs around a Saleor checkout, with the standard library only.

`checkouts` finds Saleor and Python 3.12, `environment` installs the checkout's own
pinned dependencies, `cluster` runs PostgreSQL, `databases` (executed inside the
environment) makes templates and copies of them. `scripts/ring2.py` puts them in order.
"""
