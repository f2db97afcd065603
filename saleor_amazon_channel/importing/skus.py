"""Which variant of the shop a seller SKU is.

What staff mapped comes first, then a variant with exactly this SKU, then one with it as
external reference; and last, by the account's rule, the same for the SKU without a
prefix or suffix. One unit on Amazon may be several units of a variant (a multipack).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from .. import store
from ..models import SellerAccount, SkuMapping
from ..store.contract import Blocker, BlockerCode


@dataclass(frozen=True, slots=True)
class Wanted:
    """A seller SKU of an account, for a channel of the shop."""

    account_id: int
    channel_id: str
    sku: str


@dataclass(frozen=True, slots=True)
class Found:
    """``units`` of the variant are one unit on Amazon."""

    variant_id: str | None
    units: int = 1
    blocker: Blocker | None = None


def resolve(wanted: Iterable[Wanted]) -> Mapping[Wanted, Found]:
    """What each is; a number of queries that grows with the channels only."""
    wanted = list(dict.fromkeys(wanted))
    mapped = _mapped(wanted)
    found: dict[Wanted, Found] = {}
    for channel_id, of_channel in _by_channel(wanted).items():
        found |= _of_channel(channel_id, of_channel, mapped)
    return found


def _by_channel(wanted: Iterable[Wanted]) -> dict[str, list[Wanted]]:
    by_channel: dict[str, list[Wanted]] = defaultdict(list)
    for each in wanted:
        by_channel[each.channel_id].append(each)
    return by_channel


def _mapped(wanted: Iterable[Wanted]) -> dict[tuple[int, str], SkuMapping]:
    wanted = list(wanted)
    rows = SkuMapping.objects.filter(
        account_id__in={each.account_id for each in wanted},
        seller_sku__in={each.sku for each in wanted},
    )
    return {(row.account_id, row.seller_sku): row for row in rows}


def _of_channel(
    channel_id: str,
    wanted: list[Wanted],
    mapped: Mapping[tuple[int, str], SkuMapping],
) -> dict[Wanted, Found]:
    shop = store.current()
    found: dict[Wanted, Found] = {}
    rows = {
        each: mapped[each.account_id, each.sku]
        for each in wanted
        if (each.account_id, each.sku) in mapped
    }
    if rows:
        # Two accounts may map one SKU differently: by the variant, not by the SKU.
        resolved = shop.resolve_variants(
            channel_id,
            {
                f"{each.account_id} {each.sku}": row.variant_id
                for each, row in rows.items()
            },
        )
        for each, row in rows.items():
            answer = resolved[f"{each.account_id} {each.sku}"]
            found[each] = Found(
                answer.variant_id,
                row.units,
                _about(answer.blocker, each.sku),
            )
    unmapped = [each for each in wanted if each not in rows]
    exact = shop.resolve_skus(channel_id, sorted({each.sku for each in unmapped}))
    unknown = []
    for each in unmapped:
        answer = exact[each.sku]
        found[each] = Found(answer.variant_id, 1, answer.blocker)
        if answer.blocker and answer.blocker.code == BlockerCode.UNKNOWN_SKU:
            unknown.append(each)
    stripped = _stripped(unknown)
    if stripped:
        by_rule = shop.resolve_skus(channel_id, sorted(set(stripped.values())))
        for each, sku in stripped.items():
            answer = by_rule[sku]
            if answer.variant_id:
                found[each] = Found(
                    answer.variant_id, 1, _about(answer.blocker, each.sku)
                )
    return found


def _about(blocker: Blocker | None, sku: str) -> Blocker | None:
    """The blocker in terms of the SKU that the order has."""
    if blocker is None:
        return None
    message = blocker.message.replace(blocker.subject, sku)
    return replace(blocker, message=message, subject=sku)


def _stripped(wanted: Iterable[Wanted]) -> dict[Wanted, str]:
    """The SKUs without their account's prefix and suffix, where that makes another."""
    wanted = list(wanted)
    rules = {
        pk: (prefix, suffix)
        for pk, prefix, suffix in SellerAccount.objects.filter(
            pk__in={each.account_id for each in wanted}
        ).values_list("pk", "sku_prefix", "sku_suffix")
        if prefix or suffix
    }
    stripped = {}
    for each in wanted:
        prefix, suffix = rules.get(each.account_id, ("", ""))
        sku = each.sku.removeprefix(prefix)
        sku = sku.removesuffix(suffix) if suffix else sku
        if sku and sku != each.sku:
            stripped[each] = sku
    return stripped
