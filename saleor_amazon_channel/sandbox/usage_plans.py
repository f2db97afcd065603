"""Usage plans: a token bucket per operation and application-seller pair.

Source: SP-API documentation "Usage Plans and Rate Limits" and the default figures in
each operation's model. ``rate`` is the refill in requests per second, ``burst`` the
size of the bucket, which starts full. A refused request takes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UsagePlan:
    rate: float
    burst: int


@dataclass(slots=True)
class _Bucket:
    level: float
    filled_at: datetime


class UsagePlans:
    """The buckets of all pairs; ``is_enforced`` switches them off as a whole.

    Not thread-safe by itself: the caller holds the state's lock.
    """

    def __init__(self, *, is_enforced: bool = True) -> None:
        self.is_enforced = is_enforced
        self._overrides: dict[str, UsagePlan] = {}
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def set_plan(self, operation: str, plan: UsagePlan) -> None:
        """Give ``operation`` another plan; its buckets start full again."""
        self._overrides[operation] = plan
        for key in [key for key in self._buckets if key[2] == operation]:
            del self._buckets[key]

    def plan(self, operation: str, default: UsagePlan) -> UsagePlan:
        return self._overrides.get(operation, default)

    def refill(self) -> None:
        """Fill every bucket, as after a quiet time."""
        self._buckets.clear()

    def take(
        self,
        application: str,
        seller_id: str,
        operation: str,
        default: UsagePlan,
        now: datetime,
    ) -> bool:
        """Whether the pair may call ``operation`` now; if so, one request is used."""
        if not self.is_enforced:
            return True
        plan = self.plan(operation, default)
        bucket = self._buckets.setdefault(
            (application, seller_id, operation), _Bucket(float(plan.burst), now)
        )
        elapsed = max(0.0, (now - bucket.filled_at).total_seconds())
        bucket.level = min(float(plan.burst), bucket.level + elapsed * plan.rate)
        bucket.filled_at = max(now, bucket.filled_at)
        # 1e-9: a wait of exactly 1 / rate seconds must be enough in floating point.
        if bucket.level < 1.0 - 1e-9:
            return False
        bucket.level = max(0.0, bucket.level - 1.0)
        return True
