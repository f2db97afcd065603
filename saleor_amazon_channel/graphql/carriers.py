"""What carriers are called on Amazon: what is seen, what is mapped, what is likely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import graphene
from django.db import transaction

from .. import models
from ..amazon import carriers
from ..pushing.shipments import CarrierRules
from . import host as graphql_host
from .arguments import find_account, key_of
from .enums import ErrorCode
from .errors import AmazonChannelError, refusal
from .ids import to_global
from .types import list_of, requires

host = graphql_host.current()

MAX_AT_ONCE = 1000
#: How many of an account's latest packages are looked at for carriers.
LATEST_PACKAGES = 5000
MAX_LENGTH = 50


class AmazonCarrier(graphene.ObjectType):
    account_id = graphene.ID(required=True, description="The ID of the seller account.")
    carrier = graphene.String(
        required=True, description="What staff and apps call the carrier."
    )
    carrier_code = graphene.String(
        required=True,
        description="Amazon's code that goes with its packages; `Other` where Amazon "
        "has none.",
    )
    carrier_name = graphene.String(
        description="The name that goes with the code `Other`."
    )
    is_mapped = graphene.Boolean(
        required=True,
        description="Whether the code was set for it, and not found by its name.",
    )
    is_known_code = graphene.Boolean(
        required=True,
        description="Whether the code is on the list that Amazon published in 2021. "
        "Newer ones exist; Amazon refuses packages with a code it does not know.",
    )
    suggested_code = graphene.String(
        description="The code that is probably meant, where there is a better one than "
        "the one used now. Set it if it is right."
    )
    package_count = graphene.Int(
        required=True,
        description=f"How many of the account's latest {LATEST_PACKAGES} packages "
        "name it.",
    )

    class Meta:
        description = "A carrier as it is called in the shop, and on Amazon."


class CarrierQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_carriers = list_of(
        AmazonCarrier,
        requires(
            "The carriers that packages of late name or that are mapped, by name, and "
            "what they are called on Amazon.",
            host.MANAGE_PLUGINS,
        ),
        account_id=graphene.Argument(
            graphene.ID, description="Only of this seller account."
        ),
    )

    @staticmethod
    def resolve_amazon_carriers(
        _root: Any, info: Any, account_id: str | None = None
    ) -> list[AmazonCarrier]:
        host.require(info.context, host.MANAGE_PLUGINS)
        with host.reading(info.context) as using:
            accounts = models.SellerAccount.objects.using(using).only("id")
            if account_id is not None:
                accounts = accounts.filter(
                    pk=key_of(account_id, "AmazonAccount", "account_id")
                )
            return [
                carrier
                for account in accounts.order_by("pk")
                for carrier in _carriers(account, _mapped(account, using), using)
            ]


def _mapped(
    account: models.SellerAccount, using: str | None = None
) -> dict[str, models.CarrierMapping]:
    rows = models.CarrierMapping.objects.using(using).filter(account=account)
    return {row.key: row for row in rows}


def _carriers(
    account: models.SellerAccount,
    mapped: Mapping[str, models.CarrierMapping],
    using: str | None = None,
    only: Sequence[str] = (),
) -> list[AmazonCarrier]:
    """``only``: of these keys; else all."""
    rules = CarrierRules(
        {},
        {
            (account.pk, key): (row.carrier_code, row.carrier_name)
            for key, row in mapped.items()
        },
    )
    latest = (
        models.AmazonPackage.objects.using(using)
        .filter(order__account=account)
        .order_by("-pk")
        .values_list("carrier_name", flat=True)[:LATEST_PACKAGES]
    )
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in filter(None, latest):
        key = carriers.key(name)
        names.setdefault(key, name)
        counts[key] += 1
    names |= {key: row.carrier for key, row in mapped.items()}
    wanted = only or names
    return [
        _carrier(account, rules, name, counts[key], is_mapped=key in mapped)
        for key, name in sorted(names.items(), key=lambda each: each[1].lower())
        if key in wanted
    ]


def _carrier(
    account: models.SellerAccount,
    rules: CarrierRules,
    name: str,
    count: int,
    *,
    is_mapped: bool,
) -> AmazonCarrier:
    code, other = rules.named(account.pk, name)
    suggestion = carriers.suggestion(name) if code == carriers.OTHER else None
    return AmazonCarrier(
        account_id=to_global("AmazonAccount", account.pk),
        carrier=name,
        carrier_code=code,
        carrier_name=other or None,
        is_mapped=is_mapped,
        is_known_code=code in carriers.CARRIER_CODES,
        suggested_code=suggestion,
        package_count=count,
    )


class AmazonCarrierMappingInput(graphene.InputObjectType):
    carrier = graphene.String(
        required=True,
        description="What staff and apps call the carrier; case, spaces and "
        "punctuation do not matter.",
    )
    carrier_code = graphene.String(
        required=True,
        description="Amazon's code for it, or `Other`; empty takes the mapping away.",
    )
    carrier_name = graphene.String(
        description="The name to give with the code `Other`; without it, what staff "
        "call it."
    )

    class Meta:
        description = "What one carrier is called on Amazon."


class AmazonCarrierMappingSet(host.BaseMutation):  # type: ignore[name-defined]
    carriers = list_of(
        AmazonCarrier,
        "The named carriers as they are now, or would be.",
        default_value=(),
    )

    class Arguments:
        account_id = graphene.ID(
            required=True, description="The ID of the seller account."
        )
        input = graphene.List(
            graphene.NonNull(AmazonCarrierMappingInput),
            required=True,
            description=f"Up to {MAX_AT_ONCE} carriers.",
        )
        dry_run = graphene.Boolean(
            default_value=False,
            description="Only show what would become of them; nothing is saved.",
        )

    class Meta:
        description = (
            "Says what carriers are called on Amazon, for packages confirmed from now "
            "on; those Amazon has stay as they are."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls,
        _root: Any,
        _info: Any,
        /,
        *,
        account_id: str,
        input: Sequence[Any],
        dry_run: bool = False,
    ) -> Any:
        if len(input) > MAX_AT_ONCE:
            raise refusal(
                ErrorCode.INVALID,
                f"At most {MAX_AT_ONCE} carriers at a time, not {len(input)}.",
                "input",
            )
        account = find_account(account_id)
        given = {row.key: row for row in (_row(account, each) for each in input)}
        kept = {key: row for key, row in given.items() if row.carrier_code}
        gone = given.keys() - kept.keys()
        if not dry_run:
            with transaction.atomic():
                models.CarrierMapping.objects.filter(
                    account=account, key__in=gone
                ).delete()
                models.CarrierMapping.objects.bulk_create(
                    kept.values(),
                    update_conflicts=True,
                    unique_fields=["account", "key"],
                    update_fields=["carrier", "carrier_code", "carrier_name"],
                )
        mapped = _mapped(account) | kept
        for key in gone:
            mapped.pop(key, None)
        return cls(carriers=_carriers(account, mapped, only=list(given)))


def _row(
    account: models.SellerAccount, given: Mapping[str, Any]
) -> models.CarrierMapping:
    """Checked, not saved; without a code where the mapping is to go."""
    carrier = given["carrier"].strip()
    code = given["carrier_code"].strip()
    name = (given.get("carrier_name") or "").strip()
    if not carriers.key(carrier):
        raise refusal(
            ErrorCode.INVALID, "A carrier's name has a letter or a digit.", "carrier"
        )
    for field, text in (
        ("carrier", carrier),
        ("carrier_code", code),
        ("carrier_name", name),
    ):
        if len(text) > MAX_LENGTH:
            raise refusal(
                ErrorCode.INVALID, f"At most {MAX_LENGTH} characters: {text}.", field
            )
    # Letter case matters to Amazon: take its own spelling where there is one.
    code = carriers.carrier_code(code) or code
    if name and code != carriers.OTHER:
        raise refusal(
            ErrorCode.INVALID,
            f"{carrier}: a name goes with the code {carriers.OTHER} only.",
            "carrier_name",
        )
    if code == carriers.OTHER:
        name = name or carrier
    return models.CarrierMapping(
        account=account,
        carrier=carrier,
        key=carriers.key(carrier),
        carrier_code=code,
        carrier_name=name,
    )


class CarrierMutations(graphene.ObjectType):
    """Mixed into the Mutation."""

    amazon_carrier_mapping_set = AmazonCarrierMappingSet.Field()
