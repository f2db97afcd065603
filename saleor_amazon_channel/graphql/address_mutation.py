"""``amazonOrderAddressUpdate``: the address of an order that is not imported yet."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import graphene

from ..importing import address_edit
from ..importing.text import one_line
from ..store.contract import AddressDraft
from . import host as graphql_host
from .arguments import find_order
from .enums import ErrorCode
from .errors import AmazonChannelError, refusal
from .types import AmazonOrder
from .types import orders as orders_of

host = graphql_host.current()


class AmazonAddressInput(graphene.InputObjectType):
    first_name = graphene.String(description="The given name.")
    last_name = graphene.String(description="The family name.")
    company_name = graphene.String(description="The company.")
    street_address_1 = graphene.String(description="The first line of the street.")
    street_address_2 = graphene.String(description="The second line of the street.")
    city = graphene.String(description="The city.")
    city_area = graphene.String(description="The district of the city.")
    country_area = graphene.String(description="The state or province.")
    postal_code = graphene.String(description="The postal code.")
    country = graphene.String(
        required=True, description="The country's code (ISO 3166-1 alpha-2)."
    )
    phone = graphene.String(description="The phone number.")

    class Meta:
        description = "A whole address: what is not given is empty."


class AmazonOrderAddressUpdate(host.BaseMutation):  # type: ignore[name-defined]
    amazon_order = graphene.Field(AmazonOrder, description="The Amazon order.")

    class Arguments:
        id = graphene.ID(required=True, description="The ID of the Amazon order.")
        address = AmazonAddressInput(
            description=(
                "The delivery address to use instead of Amazon's. `null` to use "
                "Amazon's again."
            )
        )

    class Meta:
        description = (
            "Corrects the delivery address of an Amazon order that is not imported "
            "yet. The address must be one that the shop accepts; the order is looked "
            "at again within seconds. What Amazon sends later does not replace it. An "
            "imported order is edited in the shop."
        )
        permissions = (host.MANAGE_ORDERS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(
        cls,
        _root: Any,
        info: Any,
        /,
        *,
        id: str,
        address: dict[str, str | None] | None = None,
    ) -> Any:
        known = find_order(info, id)
        pk, amazon_order_id = known.pk, known.amazon_order_id
        try:
            address_edit.replace_address(
                amazon_order_id,
                None if address is None else _draft(address),
                host.requestor_name(info.context),
            )
        except address_edit.OrderImported as error:
            raise refusal(
                ErrorCode.INVALID,
                f"The order is imported as order {error.number}: edit its address "
                "there.",
                "id",
            ) from error
        except address_edit.AddressRefused as error:
            raise _of_address(error) from error
        with host.reading(info.context) as using:
            return cls(amazon_order=orders_of(using).get(pk=pk))


def _draft(address: dict[str, str | None]) -> AddressDraft:
    given = {
        each.name: one_line(address.get(each.name) or "")
        for each in fields(AddressDraft)
    }
    return AddressDraft(**given | {"country": given["country"].upper()})


def _of_address(error: address_edit.AddressRefused) -> Any:
    """One error for each field."""
    refusals = {
        field: refusal(
            ErrorCode.REQUIRED
            if message == "This field is required."
            else ErrorCode.INVALID,
            message,
            field,
        )
        for field, message in error.problems.items()
    }
    first, *others = refusals.values()
    for other in others:
        first.error_dict.update(other.error_dict)
    return first
