"""What can go wrong between us and Amazon, sorted by what to do about it.

    AmazonError
    ├── TryLater                  the same call again, at ``available_at``
    │   ├── BudgetExhausted       nothing was sent: our own budget says wait
    │   ├── Throttled             Amazon said 429
    │   └── Unavailable           Amazon failed, or is not reached; no effect
    ├── UnknownOutcome            a write may have arrived: read before sending again
    ├── ReauthorizationRequired   the seller must authorize again; stop the account
    ├── AppCredentialsInvalid     client id or secret are wrong; stop all its accounts
    ├── Forbidden                 a role is missing, or the wrong region
    ├── InvalidRequest            the data must be changed; never resend as it is
    ├── NotFound
    └── MalformedAnswer           Amazon's answer is not what its model says
        └── MalformedOrder

None carries a token, a request body or more of the answer than Amazon's own codes and
messages, which are cut short because they may echo what was sent.
"""

from __future__ import annotations


class AmazonError(Exception):
    """Base of everything this package raises on purpose, save ``ValueError``."""


class MalformedAnswer(AmazonError):
    """Amazon's answer is not what its model says."""

    def __init__(self, operation: str, problem: str) -> None:
        super().__init__(f"{operation}: {problem}")
        self.operation = operation
        self.problem = problem


class MalformedOrder(MalformedAnswer):
    """An order lacks what the model requires, or has it in the wrong type.

    ``path`` is where (``orderItems[0].product``); never a value.
    """

    def __init__(self, order_id: str, path: str, problem: str) -> None:
        super().__init__(f"order {order_id or 'without id'}", f"{path} {problem}")
        self.order_id = order_id
        self.path = path
        self.problem = problem
