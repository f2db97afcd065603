"""Which currencies and statuses orders have, found without looking at the orders.

Of a million orders there are some dozens of groups: account, marketplace, who ships,
statuses, currency. An index on just these, ``amz_order_group_idx``, is gone through
from group to group.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connections

from ..models import AmazonOrder

#: The columns of the index, in its order.
GROUPED_BY = (
    "account_id",
    "marketplace_id",
    "fulfilled_by",
    "fulfillment_status",
    "import_state",
    "currency",
)

_COLUMNS = ", ".join(GROUPED_BY)
_TABLE = AmazonOrder._meta.db_table
_GROUPS = f"""
    WITH RECURSIVE known AS (
        (SELECT {_COLUMNS} FROM {_TABLE} ORDER BY {_COLUMNS} LIMIT 1)
        UNION ALL
        SELECT further.* FROM known CROSS JOIN LATERAL (
            SELECT {_COLUMNS} FROM {_TABLE}
            WHERE ({_COLUMNS}) > ({", ".join(f"known.{name}" for name in GROUPED_BY)})
            ORDER BY {_COLUMNS} LIMIT 1
        ) AS further
    )
    SELECT {_COLUMNS} FROM known
"""  # noqa: S608 - only our own names


def values(
    using: str, column: str, given: Mapping[str, Collection[object]]
) -> list[str]:
    """What orders have in a column of ``GROUPED_BY``, ascending: those that have one of
    the ``given`` values in each of these columns, or all where none is given."""
    with connections[using].cursor() as cursor:
        cursor.execute(_GROUPS)
        groups = [dict(zip(GROUPED_BY, row, strict=True)) for row in cursor.fetchall()]
    return sorted(
        {
            str(group[column])
            for group in groups
            if all(group[name] in wanted for name, wanted in given.items())
        }
    )
