"""The main job, in whichever shop: connect, map, pull, import, ship, and see it there.

Everything that a store admin or an API client would do goes through the shop's
``/graphql/``; the work itself is done by a worker process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..amazon.marketplaces import MARKETPLACES, MarketplaceInfo
from ..models import (
    AmazonOrder,
    AmazonOrderItem,
    OutboxEntry,
    SellerAccount,
    SyncCursor,
)
from ..sandbox import CLIENT_ID, CLIENT_SECRET
from ..store.contract import Channel
from .amazon import AmazonSide, Sandbox
from .input import Goods
from .processes import Process, wait_until
from .progress import Progress

State = AmazonOrder.ImportState

#: For a pull, and how much longer for each of its orders.
PULL_SECONDS = 90
PULL_SECONDS_PER_ORDER = 0.1
PUSH_SECONDS = 30


class CannotContinue(Exception):
    """The job cannot go on; the message says why."""


class Shop(Protocol):
    """What the demo needs of a shop besides its store."""

    #: Where the channel's pages can be seen; empty where they are not shown.
    pages_url: str

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """``data`` of the answer, as somebody with all permissions. Raises
        CannotContinue on errors."""
        ...

    def create_channels(self, currencies: Collection[str]) -> Mapping[str, Channel]:
        """A channel with a warehouse and a shipping method for each currency."""
        ...

    def create_goods(
        self, goods: Sequence[Goods], channels: Collection[Channel]
    ) -> int:
        """Published and in stock in all of the channels; answers how many."""
        ...

    def switch_on(self) -> None:
        """Switch the Amazon channel on."""
        ...

    def fulfil(
        self,
        order_id: str,
        lines: Mapping[str, int],
        tracking_number: str,
        carrier: str,
    ) -> None:
        """Staff ship ``lines`` (line id → units) in one package."""
        ...


def run(
    shop: Shop,
    sandbox: Sandbox,
    goods: Sequence[Goods],
    start_worker: Callable[[], Process],
    progress: Progress,
) -> None:
    """Do the job. Raises CannotContinue, ProcessFailed or TimeoutError."""
    orders = sandbox.orders()
    infos = _marketplaces_of(orders)
    channels = _stock_shop(shop, infos, goods, progress)

    progress.say("Connecting the seller accounts and mapping their marketplaces.")
    import_from = min(min(o.created, o.last_updated) for o in orders)
    regions = sorted({info.region for info in infos.values()})
    for region in regions:
        _connect(
            shop,
            sandbox,
            region,
            import_from - timedelta(minutes=1),
            {i: channels[info.currency] for i, info in infos.items()},
        )
    shop.switch_on()
    progress.count(f"{', '.join(regions)}: {len(infos)} marketplaces")

    progress.say("Starting a worker: it pulls from Amazon and imports into the shop.")
    worker = start_worker()
    _wait_for_import(len(orders), worker, progress)

    _ship_one(shop, sandbox, worker, progress)
    _pull_again(shop, worker, progress)
    calls = ", ".join(f"{count} {name}" for name, count in sandbox.calls().items())
    progress.say(f"Calls to Amazon: {calls}.")


def prepare(
    shop: Shop,
    sandbox: Sandbox,
    goods: Sequence[Goods],
    start_worker: Callable[[], Process],
    progress: Progress,
) -> None:
    """A shop with goods, the channel switched on, and no account connected."""
    infos = _marketplaces_of(sandbox.orders())
    _stock_shop(shop, infos, goods, progress)
    shop.switch_on()
    start_worker()
    for region in sorted({info.region for info in infos.values()}):
        progress.say(
            f"To connect {region}: seller ID A1SANDBOX{region}, client ID {CLIENT_ID}, "
            f"client secret {CLIENT_SECRET}, refresh token Atzr|sandbox-{region}."
        )
    progress.say(
        f"Under 'Use another address': {sandbox.url}, and for access tokens "
        f"{sandbox.lwa_url}."
    )


def _marketplaces_of(orders: Iterable[AmazonSide]) -> dict[str, MarketplaceInfo]:
    return {
        order.marketplace_id: MARKETPLACES[order.marketplace_id] for order in orders
    }


def _stock_shop(
    shop: Shop,
    infos: Mapping[str, MarketplaceInfo],
    goods: Sequence[Goods],
    progress: Progress,
) -> Mapping[str, Channel]:
    """Answers the channels by currency."""
    progress.say("Shop: creating channels and products.")
    channels = shop.create_channels(sorted({info.currency for info in infos.values()}))
    count = shop.create_goods(goods, list(channels.values()))
    progress.count(f"{len(channels)} channels, {count} products")
    return channels


_CONNECT = """
mutation Connect($input: AmazonAccountConnectInput!) {
  amazonAccountConnect(input: $input) {
    account { id marketplaces { id marketplaceId } }
    errors { field message code }
  }
}
"""

_MAP = """
mutation Map($id: ID!, $input: AmazonMarketplaceUpdateInput!) {
  amazonMarketplaceUpdate(id: $id, input: $input) {
    marketplace { isMapped }
    errors { field message code }
  }
}
"""

_PULL = "mutation { amazonOrdersImport { queued errors { field message code } } }"


def _mutate(shop: Shop, query: str, **variables: Any) -> dict[str, Any]:
    (answer,) = shop.graphql(query, **variables).values()
    if answer["errors"]:
        raise CannotContinue(
            "; ".join(
                f"{error['field'] or 'error'}: {error['message']}"
                for error in answer["errors"]
            )
        )
    return dict(answer)


def _connect(
    shop: Shop,
    sandbox: Sandbox,
    region: str,
    import_from: datetime,
    channels: Mapping[str, Channel],
) -> None:
    answer = _mutate(
        shop,
        _CONNECT,
        input={
            "name": f"Sandbox {region}",
            "region": region,
            "sellerId": f"A1SANDBOX{region}",
            "lwaClientId": CLIENT_ID,
            "lwaClientSecret": CLIENT_SECRET,
            "refreshToken": f"Atzr|sandbox-{region}",
            "importFrom": import_from.isoformat(),
            "endpoint": sandbox.url,
            "lwaEndpoint": sandbox.lwa_url,
        },
    )
    for marketplace in answer["account"]["marketplaces"]:
        channel = channels.get(marketplace["marketplaceId"])
        if channel is not None:
            _mutate(
                shop,
                _MAP,
                id=marketplace["id"],
                input={
                    "channel": channel.slug,
                    "warehouseIds": [warehouse.id for warehouse in channel.warehouses],
                    "shippingMethodId": channel.shipping_methods[0].id,
                },
            )


def _wait_for_import(expected: int, worker: Process, progress: Progress) -> None:
    """Until every order is in the ledger and none is left to be imported."""

    def is_done() -> bool:
        _check_accounts()
        states = AmazonOrder.objects.values_list("import_state", flat=True)
        counts = dict.fromkeys(State.values, 0)
        for state in states:
            counts[state] += 1
        pulled = sum(counts.values())
        decided = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
        progress.count(f"{pulled} of {expected} pulled: {decided or 'none yet'}")
        return pulled >= expected and not counts[State.READY]

    seconds = PULL_SECONDS + expected * PULL_SECONDS_PER_ORDER
    wait_until(
        is_done,
        [worker],
        seconds,
        f"Not all orders were pulled and imported within {seconds:.0f} s.",
    )


def _check_accounts() -> None:
    for account in SellerAccount.objects.exclude(state=SellerAccount.State.ACTIVE):
        raise CannotContinue(f"{account}: {account.state_reason}")


def _ship_one(
    shop: Shop, sandbox: Sandbox, worker: Process, progress: Progress
) -> None:
    """Ship an order in two packages if it has the units, and see Amazon know."""
    found = _order_to_ship(sandbox)
    if found is None:
        progress.say("No order could be shipped: none is imported and unshipped.")
        return
    order, packages = found
    count = "two packages" if len(packages) == 2 else "one package"
    progress.say(
        f"Shipping {order.amazon_order_id} (order {order.shop_order_number} of the "
        f"shop) in {count}."
    )
    for number, lines in enumerate(packages, start=1):
        tracking_number = f"0034043416109401590{number}"
        shop.fulfil(order.shop_order_id or "", lines, tracking_number, "DHL")
        _wait_for_amazon(sandbox, order, tracking_number, worker)
        amazon = sandbox.order(order.amazon_order_id)
        progress.count(
            f"package {number}: {sum(lines.values())} units, tracking "
            f"{tracking_number}; Amazon's status is {amazon.status}"
        )
    wanted = "SHIPPED"
    if amazon.status != wanted or len(amazon.packages) != len(packages):
        raise CannotContinue(
            f"Amazon has {len(amazon.packages)} packages and status {amazon.status}, "
            f"not {len(packages)} and {wanted}."
        )


def _order_to_ship(
    sandbox: Sandbox,
) -> tuple[AmazonOrder, list[dict[str, int]]] | None:
    """The first order of two units or more; failing that, of one. Split in two."""
    candidates = AmazonOrder.objects.filter(
        import_state=State.IMPORTED,
        fulfilled_by="MERCHANT",
        fulfillment_status="UNSHIPPED",
    ).order_by("created_time", "pk")
    of_one_unit = None
    for order in candidates.iterator():
        if sandbox.order(order.amazon_order_id).has_special_rules:
            continue
        units = _units(order.items.exclude(shop_line_id="").order_by("pk"))
        if sum(units.values()) >= 2:
            return order, _split(units)
        of_one_unit = of_one_unit or (order, [units])
    return of_one_unit


def _units(items: Iterable[AmazonOrderItem]) -> dict[str, int]:
    return {item.shop_line_id: item.quantity_ordered for item in items}


def _split(units: Mapping[str, int]) -> list[dict[str, int]]:
    """One unit in the first package, all others in the second."""
    first = next(iter(units))
    rest = {**units, first: units[first] - 1}
    return [{first: 1}, {line: count for line, count in rest.items() if count}]


def _wait_for_amazon(
    sandbox: Sandbox, order: AmazonOrder, tracking_number: str, worker: Process
) -> None:
    def is_known() -> bool:
        failed = order.outbox_entries.filter(state=OutboxEntry.State.FAILED).first()
        if failed is not None:
            raise CannotContinue(f"Amazon refused: {failed.error_message}")
        packages = sandbox.order(order.amazon_order_id).packages
        return any(p.get("trackingNumber") == tracking_number for p in packages)

    wait_until(
        is_known,
        [worker],
        PUSH_SECONDS,
        f"Amazon did not learn of package {tracking_number} within {PUSH_SECONDS} s.",
    )


def _pull_again(shop: Shop, worker: Process, progress: Progress) -> None:
    """A second scan: nothing may double, nothing may come back as an intent."""
    progress.say("Pulling again: nothing may double or come back.")
    before = _what_there_is()
    runs = _runs()
    _mutate(shop, _PULL)

    def has_run() -> bool:
        now = _runs()
        return all(now[stream] != run for stream, run in runs.items())

    wait_until(
        has_run, [worker], PULL_SECONDS, f"No second pull within {PULL_SECONDS} s."
    )
    after = _what_there_is()
    if after != before:
        raise CannotContinue(f"Before the second pull {before}, after it {after}.")
    progress.count(", ".join(f"{count} {what}" for what, count in after.items()))


def _runs() -> dict[int, datetime | None]:
    return dict(
        SyncCursor.objects.filter(stream="orders").values_list("account", "last_run_at")
    )


def _what_there_is() -> dict[str, int]:
    orders = AmazonOrder.objects.all()
    return {
        "Amazon orders": orders.count(),
        "shop orders": orders.exclude(shop_order_id=None).count(),
        "intents": OutboxEntry.objects.count(),
    }
