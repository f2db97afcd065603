"""What failed between Amazon and us: the log, and what it means for the account."""

from __future__ import annotations

from ..amazon import errors
from ..models import CommunicationLog, SellerAccount

#: Until a person acts, no call of the account can succeed.
_STOPS_THE_ACCOUNT = (errors.ReauthorizationRequired, errors.AppCredentialsInvalid)


def note_failure(
    account: SellerAccount, operation: str, error: errors.AmazonError
) -> None:
    """Log a failure that a retry does not mend, and stop the account if it must be."""
    code = getattr(error, "codes", ())
    CommunicationLog.objects.create(
        account=account,
        operation=operation,
        error_code=(code[0] if code else type(error).__name__)[:100],
        message=str(error),
        request_id=getattr(error, "request_id", "")[:100],
    )
    if isinstance(error, _STOPS_THE_ACCOUNT):
        account.state = SellerAccount.State.NEEDS_REAUTHORIZATION
        account.state_reason = error.action
        account.save(update_fields=["state", "state_reason"])
