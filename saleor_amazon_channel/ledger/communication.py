"""What failed between Amazon and us: the log, and what it means for the account."""

from __future__ import annotations

from django.db import transaction

from ..amazon import errors
from ..models import CommunicationLog, SellerAccount

#: Until a person acts, no call of the account can succeed.
_STOPS_THE_ACCOUNT = (errors.ReauthorizationRequired, errors.AppCredentialsInvalid)
_CREDENTIALS = ("lwa_client_id", "lwa_client_secret", "refresh_token")


def note_failure(
    account: SellerAccount,
    operation: str,
    error: errors.AmazonError,
    amazon_order_id: str = "",
) -> None:
    """Log a failure that a retry does not mend, and stop the account if it must be.

    The account goes on if it was given other credentials than the call failed with.
    """
    codes = filter(None, getattr(error, "codes", ()))
    CommunicationLog.objects.create(
        account=account,
        operation=operation,
        error_code=next(codes, type(error).__name__)[:100],
        message=str(error),
        request_id=getattr(error, "request_id", "")[:100],
        amazon_order_id=amazon_order_id,
    )
    if "invalid_client" in getattr(error, "codes", ()):
        _stop_app(account)
    elif isinstance(error, _STOPS_THE_ACCOUNT):
        _stop(account, error.action)


def _stop_app(account: SellerAccount) -> None:
    """Stop all accounts of the app that have the secret which Amazon refuses."""
    reason = (
        f"{errors.AppCredentialsInvalid.action} Enter the new secret for one account "
        "of the app: the others get it too."
    )
    with transaction.atomic():
        of_app = SellerAccount.objects.select_for_update(no_key=True).filter(
            lwa_client_id=account.lwa_client_id,
            lwa_endpoint_override=account.lwa_endpoint_override,
            state=SellerAccount.State.ACTIVE,
        )
        stopped = [
            each.pk
            for each in of_app.order_by("pk")
            # Encrypted, so it is not for the database to compare them.
            if each.lwa_client_secret == account.lwa_client_secret
        ]
        SellerAccount.objects.filter(pk__in=stopped).update(
            state=SellerAccount.State.NEEDS_REAUTHORIZATION, state_reason=reason
        )
    if account.pk in stopped:
        account.state = SellerAccount.State.NEEDS_REAUTHORIZATION
        account.state_reason = reason


def _stop(account: SellerAccount, reason: str) -> None:
    with transaction.atomic():
        now = SellerAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        # Encrypted, so it is not for the database to compare them.
        if any(getattr(now, name) != getattr(account, name) for name in _CREDENTIALS):
            return
        account.state = SellerAccount.State.NEEDS_REAUTHORIZATION
        account.state_reason = reason
        account.save(update_fields=["state", "state_reason"])
