"""Addresses by the rules of Saleor's own forms, as its mutations apply them."""

from __future__ import annotations

from dataclasses import asdict

from django.core.exceptions import ValidationError
from saleor.graphql.account.i18n import I18nMixin

from ..store.contract import AddressDraft


def problems(address: AddressDraft) -> dict[str, str]:
    """See ``store.contract.Store.address_problems``."""
    try:
        I18nMixin._validate_address_form(asdict(address))
    except ValidationError as error:
        return {
            field: " ".join(messages) for field, messages in error.message_dict.items()
        }
    return {}
