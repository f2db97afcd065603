"""The customer accounts of imported orders, where the marketplace's setting asks for
them.

An account cannot be logged into (it has no password, and its address receives nothing),
is written to by nobody (``compat.never_mail_amazons_buyers``), and is staff's to
delete: the orders stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from saleor.account.models import User
from saleor.account.utils import update_user_orders_count

from . import compat
from .order_plan import Plan


def attach(plans: Sequence[Plan]) -> None:
    """Give each plan that names a customer its user, made where there is none yet.

    A constant number of queries; none for guests. Two batches that need the same new
    customer make one: the second waits for the first. No order is linked to a user
    unless Saleor is kept from mailing it.
    """
    if not compat.are_buyers_never_mailed():
        return
    drafts = {
        plan.new.customer.email: plan.new.customer
        for plan in plans
        if plan.new.customer is not None
    }
    if not drafts:
        return
    users = _users(list(drafts))
    # Sorted, so that two batches with the same new customers never wait for each other.
    missing = [drafts[email] for email in sorted(drafts.keys() - users.keys())]
    if missing:
        made = [
            User(
                email=customer.email,
                first_name=customer.first_name,
                last_name=customer.last_name,
                # Not a password that anybody could have.
                password="!",  # noqa: S106
            )
            for customer in missing
        ]
        compat.prepare_customers(made)
        User.objects.bulk_create(made, ignore_conflicts=True)
        users |= _users([customer.email for customer in missing])
    for plan in plans:
        if plan.new.customer is not None:
            plan.user_id = users[plan.new.customer.email]
    # Saleor counts them on the user.
    update_user_orders_count(
        Counter(plan.user_id for plan in plans if plan.user_id is not None)
    )


def _users(emails: Collection[str]) -> dict[str, int]:
    return dict(User.objects.filter(email__in=list(emails)).values_list("email", "pk"))
