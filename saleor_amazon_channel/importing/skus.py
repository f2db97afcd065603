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
from ..store.contract import Blocker, BlockerCode, SkuResolution


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
    """What each is; a number of queries that grows with neither channels nor SKUs."""
    wanted = list(dict.fromkeys(wanted))
    rows = _mapped(wanted)
    found = _of_variants(rows)
    unmapped = {each: each.sku for each in wanted if each not in rows}
    exact = _of_skus(unmapped)
    unknown = []
    for each, answer in exact.items():
        found[each] = Found(answer.variant_id, 1, answer.blocker)
        if answer.blocker and answer.blocker.code == BlockerCode.UNKNOWN_SKU:
            unknown.append(each)
    for each, answer in _of_skus(_stripped(unknown)).items():
        if answer.variant_id:
            found[each] = Found(answer.variant_id, 1, _about(answer.blocker, each.sku))
    return found


def _mapped(wanted: Iterable[Wanted]) -> dict[Wanted, SkuMapping]:
    wanted = list(wanted)
    rows = {
        (row.account_id, row.seller_sku): row
        for row in SkuMapping.objects.filter(
            account_id__in={each.account_id for each in wanted},
            seller_sku__in={each.sku for each in wanted},
        )
    }
    return {
        each: rows[each.account_id, each.sku]
        for each in wanted
        if (each.account_id, each.sku) in rows
    }


def _of_variants(rows: Mapping[Wanted, SkuMapping]) -> dict[Wanted, Found]:
    if not rows:
        return {}

    # Two accounts may map one SKU differently: by the variant, not by the SKU.
    def name(each: Wanted) -> str:
        return f"{each.account_id} {each.sku}"

    by_channel: dict[str, dict[str, str]] = defaultdict(dict)
    for each, row in rows.items():
        by_channel[each.channel_id][name(each)] = row.variant_id
    resolved = store.current().resolve_variants(by_channel)
    found = {}
    for each, row in rows.items():
        answer = resolved[each.channel_id][name(each)]
        blocker = _about(answer.blocker, each.sku)
        found[each] = Found(answer.variant_id, row.units, blocker)
    return found


def _of_skus(skus: Mapping[Wanted, str]) -> dict[Wanted, SkuResolution]:
    """What the shop says of each under the SKU given for it."""
    if not skus:
        return {}
    by_channel: dict[str, set[str]] = defaultdict(set)
    for each, sku in skus.items():
        by_channel[each.channel_id].add(sku)
    resolved = store.current().resolve_skus(by_channel)
    return {each: resolved[each.channel_id][sku] for each, sku in skus.items()}


def _about(blocker: Blocker | None, sku: str) -> Blocker | None:
    """The blocker in terms of the SKU that the order has."""
    if blocker is None:
        return None
    message = blocker.message.replace(blocker.subject, sku)
    return replace(blocker, message=message, subject=sku)


def _stripped(wanted: Iterable[Wanted]) -> dict[Wanted, str]:
    """The SKUs without their account's prefix and suffix, where that makes another."""
    wanted = list(wanted)
    if not wanted:
        return {}
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
