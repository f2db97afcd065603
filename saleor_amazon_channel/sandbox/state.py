"""Everything the sandbox remembers, in memory and behind one lock.

Orders are kept in Amazon's wire format, as Amazon would show them to somebody allowed
to see everything; what a call may see is cut out on reading (``orders.py``). A version
of an order is never changed, only followed by the next one, so readers need no copy.
"""

from __future__ import annotations

import copy
import json
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .. import clock
from ..amazon.marketplaces import MARKETPLACES, REGIONS
from .errors import LwaRefusal, NotFound, Unauthorized, UnknownName
from .faults import LWA_OPERATION, Fault, Faults
from .feed_store import FeedStore
from .feeds import LINK_PREFIX
from .invoices import UploadedInvoice
from .listings import StoredListing
from .messaging import SentMessage
from .notification_store import NotificationStore
from .report_store import ReportStore
from .routes import OPERATIONS
from .times import format_time, parse_time
from .transactions import TransactionStore
from .uploads import Upload
from .usage_plans import UsagePlan, UsagePlans
from .wire import check_order

CLIENT_ID = "amzn1.application-oa2-client.sandbox"
CLIENT_SECRET = "sandbox-secret"
TOKEN_LIFETIME = timedelta(seconds=3600)
#: How far a list may be behind the orders themselves.
MOST_BEHIND = timedelta(minutes=30)

Json = dict[str, Any]


@dataclass(slots=True)
class Application:
    """A developer's application, as registered with Login with Amazon."""

    client_id: str
    client_secret: str = field(repr=False)
    may_use_grantless: bool = True


@dataclass(slots=True)
class Account:
    """A seller in one region and the grant given to one application.

    ``restricted_data`` is what the application's roles let it see of buyers:
    ``granted``, ``omitted`` (the fields are left out) or ``denied`` (403). Which of the
    two Amazon does without the role is unconfirmed, so both can be tried.
    ``may_read_finances``: it has the role Finance and Accounting. ``may_invoice``: it
    has the role Tax Invoicing, as far as reports go.
    """

    seller_id: str
    region: str
    refresh_token: str = field(repr=False)
    store_name: str
    marketplace_ids: tuple[str, ...]
    client_id: str = CLIENT_ID
    is_granted: bool = True
    restricted_data: str = "granted"
    may_read_finances: bool = True
    may_invoice: bool = True


@dataclass(frozen=True, slots=True)
class AccessToken:
    client_id: str
    expires_at: datetime
    seller_id: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class OrderVersion:
    """A payload and, read from it once, what searches go by."""

    payload: Json = field(repr=False)
    created: datetime
    updated: datetime
    marketplace_id: str | None
    status: str | None
    fulfilled_by: str | None

    @classmethod
    def of(cls, payload: Json) -> OrderVersion:
        fulfillment = payload.get("fulfillment", {})
        return cls(
            payload,
            parse_time(payload["createdTime"]),
            parse_time(payload["lastUpdatedTime"]),
            payload["salesChannel"].get("marketplaceId"),
            fulfillment.get("fulfillmentStatus"),
            fulfillment.get("fulfilledBy"),
        )


@dataclass(slots=True)
class StoredOrder:
    seller_id: str
    current: OrderVersion
    previous: OrderVersion | None = None

    def version(self, *, is_stale: bool = False) -> OrderVersion:
        """``is_stale``: as before the last change, if that is not long ago."""
        is_young = self.current.updated > clock.now() - MOST_BEHIND
        return (self.previous if is_stale and is_young else None) or self.current


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A call without anything about people: what was called, and how it ended.

    ``status`` is what the sandbox answered, or would have answered where a fault
    swallowed the answer; ``fault`` names that fault.
    """

    number: int
    time: str
    operation: str
    seller_id: str | None
    status: int
    order_id: str | None
    request_id: str
    fault: str | None


class State:
    """The sandbox's memory. Every public method is atomic."""

    def __init__(self, *, usage_plans: bool = True, accounts: bool = True) -> None:
        self.lock = threading.RLock()
        self.applications = {CLIENT_ID: Application(CLIENT_ID, CLIENT_SECRET)}
        self.accounts: dict[str, Account] = {}
        self.plans = UsagePlans(is_enforced=usage_plans)
        self.faults = Faults()
        self.feeds = FeedStore()
        self.transactions = TransactionStore()
        self.uploads: dict[str, Upload] = {}
        self.invoices: list[UploadedInvoice] = []
        #: Sellers whose invoices Amazon issues (VAT Calculation Service).
        self.invoiced_by_amazon: set[str] = set()
        self.reports = ReportStore()
        #: Sellers that have no Invoice Data Report.
        self.without_invoice_report: set[str] = set()
        #: What buyers were sent, oldest first.
        self.messages: list[SentMessage] = []
        #: Action → in which words the next such message is refused.
        self.message_refusals: dict[str, str] = {}
        #: Order id → when its buyer was asked for a review.
        self.solicited: dict[str, datetime] = {}
        #: What sellers list, by seller and SKU.
        self.listings: dict[tuple[str, str], StoredListing] = {}
        #: SKU → in which words changes of it are refused; empty: they are not.
        self.listing_refusals: dict[str, str] = {}
        self.notifications = NotificationStore()
        #: Where links lead; the running server says.
        self.base_url = ""
        self.pagination_tokens: dict[str, Any] = {}
        self._tokens: dict[str, AccessToken] = {}
        self._orders: dict[str, StoredOrder] = {}
        self._calls: deque[LoggedCall] = deque(maxlen=100_000)
        self._counters: Counter[tuple[str, int]] = Counter()
        if accounts:
            for region in REGIONS:
                self.add_account(region)

    # --- accounts and tokens ---

    def add_account(
        self,
        region: str,
        *,
        seller_id: str | None = None,
        refresh_token: str | None = None,
        store_name: str | None = None,
        marketplace_ids: Iterable[str] | None = None,
        client_id: str = CLIENT_ID,
        restricted_data: str = "granted",
        may_read_finances: bool = True,
        may_invoice: bool = True,
    ) -> Account:
        """Add a seller, or replace the one with this id."""
        if region not in REGIONS:
            raise UnknownName(f"unknown region {region!r}; one of {', '.join(REGIONS)}")
        if restricted_data not in ("granted", "omitted", "denied"):
            raise UnknownName(f"unknown restricted_data {restricted_data!r}")
        of_region = tuple(m.id for m in MARKETPLACES.values() if m.region == region)
        chosen = of_region if marketplace_ids is None else tuple(marketplace_ids)
        for marketplace_id in chosen:
            if marketplace_id not in of_region:
                raise UnknownName(f"{marketplace_id} is no marketplace of {region}")
        with self.lock:
            self._application(client_id)
            seller_id = seller_id or f"A1SANDBOX{region}"
            account = Account(
                seller_id=seller_id,
                region=region,
                refresh_token=refresh_token or f"Atzr|sandbox-{region}",
                store_name=store_name or f"Sandbox Store {region}",
                marketplace_ids=chosen,
                client_id=client_id,
                restricted_data=restricted_data,
                may_read_finances=may_read_finances,
                may_invoice=may_invoice,
            )
            for other in self.accounts.values():
                if other.seller_id != seller_id and (
                    other.refresh_token == account.refresh_token
                ):
                    raise UnknownName(
                        f"{other.seller_id} already has this refresh token"
                    )
            self.accounts[seller_id] = account
            return account

    def add_application(
        self, client_id: str, client_secret: str, *, may_use_grantless: bool = True
    ) -> Application:
        """Add an application or change its secret."""
        with self.lock:
            application = Application(client_id, client_secret, may_use_grantless)
            self.applications[client_id] = application
            return application

    def _application(self, client_id: str) -> Application:
        try:
            return self.applications[client_id]
        except KeyError:
            raise UnknownName(f"unknown application {client_id!r}") from None

    def account(self, seller_id: str) -> Account:
        try:
            return self.accounts[seller_id]
        except KeyError:
            raise UnknownName(f"unknown seller {seller_id!r}") from None

    def revoke_grant(self, seller_id: str) -> None:
        """The seller withdraws the authorization: its tokens are worth nothing."""
        with self.lock:
            self.account(seller_id).is_granted = False

    def restore_grant(self, seller_id: str, refresh_token: str | None = None) -> None:
        """The seller authorizes again, perhaps with a new refresh token."""
        with self.lock:
            account = self.account(seller_id)
            account.is_granted = True
            account.refresh_token = refresh_token or account.refresh_token

    def expire_access_tokens(self) -> None:
        """Every access token given out so far is expired from now on."""
        with self.lock:
            now = clock.now()
            for text, token in self._tokens.items():
                self._tokens[text] = AccessToken(
                    token.client_id, now, token.seller_id, token.scope
                )

    def issue_access_token(
        self,
        client_id: str,
        *,
        seller_id: str | None = None,
        scope: str | None = None,
    ) -> str:
        with self.lock:
            now = clock.now()
            # An hour past its end a token is only unknown; until then it is expired.
            self._tokens = {
                text: token
                for text, token in self._tokens.items()
                if token.expires_at > now - TOKEN_LIFETIME
            }
            text = "Atza|" + secrets.token_urlsafe(48)
            self._tokens[text] = AccessToken(
                client_id, now + TOKEN_LIFETIME, seller_id, scope
            )
            return text

    def authenticate(self, client_id: str, client_secret: str) -> Application:
        with self.lock:
            application = self.applications.get(client_id)
            if application is None or not secrets.compare_digest(
                application.client_secret.encode(), client_secret.encode()
            ):
                raise LwaRefusal(401, "invalid_client", "Client authentication failed")
            return application

    def account_of_refresh_token(
        self, refresh_token: str, application: Application
    ) -> Account | None:
        with self.lock:
            for account in self.accounts.values():
                if account.refresh_token == refresh_token:
                    is_usable = account.is_granted and (
                        account.client_id == application.client_id
                    )
                    return account if is_usable else None
            return None

    def access(self, text: str | None) -> AccessToken:
        """The token a call carries; Unauthorized in Amazon's words if it is no good."""
        if not text:
            raise Unauthorized(details="Access token is missing in the request header.")
        with self.lock:
            token = self._tokens.get(text)
            if token is None:
                raise Unauthorized(
                    details="The access token you provided is revoked, malformed or "
                    "invalid."
                )
            if clock.now() >= token.expires_at:
                raise Unauthorized(details="The access token you provided has expired.")
            if token.seller_id and not self.account(token.seller_id).is_granted:
                raise Unauthorized(
                    details="The access token you provided is revoked, malformed or "
                    "invalid."
                )
            return token

    def link_url(self, secret: str) -> str:
        """The address of a link to a document."""
        return f"{self.base_url}{LINK_PREFIX}{secret}"

    # --- orders ---

    def put_orders(
        self, orders: Iterable[Json], *, seller_id: str | None = None
    ) -> int:
        """Add orders in wire format, replacing those known; how many there were.

        Without ``seller_id`` each order goes to the first account of the region of its
        marketplace. Nothing is stored if one of them is malformed (``WireError``) or
        belongs nowhere (``UnknownName``). ``lastUpdatedTime`` is taken as given.
        """
        with self.lock:
            checked = []
            for position, payload in enumerate(orders):
                check_order(payload, position)
                own = json.loads(json.dumps(payload))
                checked.append((seller_id or self._home(own), own))
            if seller_id:
                self.account(seller_id)
            for owner, payload in checked:
                self._store(owner, OrderVersion.of(payload))
            return len(checked)

    def _home(self, payload: Json) -> str:
        marketplace = MARKETPLACES.get(payload["salesChannel"].get("marketplaceId", ""))
        region = marketplace.region if marketplace else None
        for account in self.accounts.values():
            if account.region == region:
                return account.seller_id
        raise UnknownName(
            f"order {payload['orderId']}: no account for its marketplace; name a seller"
        )

    def _store(self, seller_id: str, version: OrderVersion) -> None:
        stored = self._orders.get(version.payload["orderId"])
        if stored is None:
            self._orders[version.payload["orderId"]] = StoredOrder(seller_id, version)
        else:
            stored.seller_id = seller_id
            stored.previous, stored.current = stored.current, version
            # Of a new order Amazon may say nothing (models issues 2662, 3278).
            self.notifications.order_changed(
                seller_id, stored.previous.payload, version.payload
            )

    def stored_order(self, order_id: str) -> StoredOrder:
        try:
            return self._orders[order_id]
        except KeyError:
            raise UnknownName(f"unknown order {order_id!r}") from None

    def order(self, order_id: str) -> Json:
        """A copy of the whole order, with packages and everything hidden from calls."""
        with self.lock:
            return copy.deepcopy(self.stored_order(order_id).current.payload)

    def order_ids(self) -> list[str]:
        with self.lock:
            return list(self._orders)

    def orders_of(self, seller_id: str) -> Iterator[StoredOrder]:
        """The seller's orders in no order; hold the lock while reading them."""
        return (o for o in self._orders.values() if o.seller_id == seller_id)

    def own_order(self, order_id: str, seller_id: str) -> StoredOrder:
        """The seller's order; to a seller, other sellers' orders do not exist."""
        stored = self._orders.get(order_id)
        if stored is None or stored.seller_id != seller_id:
            raise NotFound(f"Order {order_id} was not found.")
        return stored

    def messages_of(self, order_id: str) -> list[SentMessage]:
        """What the buyer of the order was sent, oldest first."""
        with self.lock:
            return [each for each in self.messages if each.order_id == order_id]

    def refuse_message(self, action: str, message: str) -> None:
        """Refuse the next such message with 400, in these words."""
        with self.lock:
            self.message_refusals[action] = message

    def change_order(self, order_id: str, change: Callable[[Json], None]) -> Json:
        """Apply ``change`` to a copy of the order; lastUpdatedTime moves if it changed.

        Two changes of one order never share a ``lastUpdatedTime``: it moves by at least
        the millisecond Amazon's times are written in.
        """
        with self.lock:
            stored = self.stored_order(order_id)
            payload = copy.deepcopy(stored.current.payload)
            change(payload)
            if payload == stored.current.payload:
                return payload
            return self._follow(stored, payload)

    def touch_order(self, order_id: str) -> Json:
        """Move lastUpdatedTime and change nothing else."""
        with self.lock:
            stored = self.stored_order(order_id)
            return self._follow(stored, copy.deepcopy(stored.current.payload))

    def _follow(self, stored: StoredOrder, payload: Json) -> Json:
        updated = max(clock.now(), stored.current.updated + timedelta(milliseconds=1))
        payload["lastUpdatedTime"] = format_time(updated)
        self._store(stored.seller_id, OrderVersion.of(payload))
        return copy.deepcopy(payload)

    # --- faults, usage plans, what was called ---

    def inject_fault(self, operation: str, kind: str, **options: Any) -> None:
        """See ``faults.py``; FaultError if the fault makes no sense."""
        _check_operation(operation, LWA_OPERATION)
        with self.lock:
            self.faults.inject(Fault(operation, kind, **options))

    def clear_faults(self) -> None:
        with self.lock:
            self.faults.clear()

    def set_usage_plan(self, operation: str, rate: float, burst: int) -> None:
        _check_operation(operation)
        with self.lock:
            self.plans.set_plan(operation, UsagePlan(rate, burst))

    def log_call(
        self,
        operation: str,
        status: int,
        request_id: str,
        *,
        seller_id: str | None = None,
        order_id: str | None = None,
        fault: str | None = None,
    ) -> None:
        with self.lock:
            self._counters[operation, status] += 1
            self._calls.append(
                LoggedCall(
                    number=self._counters.total(),
                    time=format_time(clock.now()),
                    operation=operation,
                    seller_id=seller_id,
                    status=status,
                    order_id=order_id,
                    request_id=request_id,
                    fault=fault,
                )
            )

    def calls(self, operation: str | None = None) -> list[LoggedCall]:
        """The last calls (up to 100,000), oldest first."""
        with self.lock:
            return [call for call in self._calls if operation in (None, call.operation)]

    def counters(self) -> dict[str, dict[str, int]]:
        """operation -> status -> number of calls since the start or the last clear."""
        with self.lock:
            counted: dict[str, dict[str, int]] = {}
            for (operation, status), number in sorted(self._counters.items()):
                counted.setdefault(operation, {})[str(status)] = number
            return counted

    def clear_calls(self) -> None:
        with self.lock:
            self._calls.clear()
            self._counters.clear()


def _check_operation(name: str, *more: str) -> None:
    known = [operation.name for operation in OPERATIONS] + list(more)
    if name not in known:
        raise UnknownName(f"unknown operation {name!r}; one of {', '.join(known)}")


def describe_account(account: Account) -> Mapping[str, Any]:
    """The account for the control API, without its refresh token."""
    described = asdict(account)
    del described["refresh_token"]
    return described
