"""The channel's global settings."""

from __future__ import annotations

import logging
from typing import Any

import graphene

from .. import channel_settings, models
from ..conf import MAX_PULL_MINUTES, MIN_PULL_MINUTES
from . import host as graphql_host
from .enums import AmazonLogHistory, ErrorCode
from .errors import AmazonChannelError, refusal
from .types import requires

host = graphql_host.current()
logger = logging.getLogger(__name__)

_PULL_INTERVAL = (
    "How many minutes there are between two readings of new and changed orders, from "
    f"{MIN_PULL_MINUTES} to {MAX_PULL_MINUTES}."
)
_READ_ONLY = (
    "Whether nothing is sent to Amazon. What would be sent is kept, and goes out once "
    "this is off."
)
_DEBUG_LOGGING = (
    "Whether the server's log has every call to Amazon, with its duration and request "
    "ID; never secrets or buyer data."
)
_CLEAR_LOG_HISTORY = (
    "How long what failed, what was tried, and timelines of orders long done are kept."
)


class AmazonSettings(graphene.ObjectType):
    is_active = graphene.Boolean(
        required=True,
        description="Whether the Amazon sales channel is switched on, which is done "
        "where the shop lists its plugins.",
    )
    pull_interval_minutes = graphene.Int(required=True, description=_PULL_INTERVAL)
    is_read_only = graphene.Boolean(required=True, description=_READ_ONLY)
    read_only_reason = graphene.String(
        description="Why read-only mode was switched on by itself."
    )
    is_debug_logging = graphene.Boolean(required=True, description=_DEBUG_LOGGING)
    clear_log_history = AmazonLogHistory(required=True, description=_CLEAR_LOG_HISTORY)

    class Meta:
        description = "What is set for the whole channel."

    @staticmethod
    def resolve_is_active(root: models.ChannelSettings, _info: Any) -> bool:
        return root.active

    @staticmethod
    def resolve_is_read_only(root: models.ChannelSettings, _info: Any) -> bool:
        return root.read_only

    @staticmethod
    def resolve_read_only_reason(
        root: models.ChannelSettings, _info: Any
    ) -> str | None:
        return root.read_only_reason or None

    @staticmethod
    def resolve_is_debug_logging(root: models.ChannelSettings, _info: Any) -> bool:
        return root.debug_logging


class AmazonSettingsUpdateInput(graphene.InputObjectType):
    pull_interval_minutes = graphene.Int(description=_PULL_INTERVAL)
    is_read_only = graphene.Boolean(
        description=f"{_READ_ONLY} Switching it off says that the shop's address is "
        "the right one."
    )
    is_debug_logging = graphene.Boolean(description=_DEBUG_LOGGING)
    clear_log_history = AmazonLogHistory(description=_CLEAR_LOG_HISTORY)

    class Meta:
        description = "What to change of the channel's settings."


_COLUMNS = {
    "pull_interval_minutes": "pull_interval_minutes",
    "is_read_only": "read_only",
    "is_debug_logging": "debug_logging",
    "clear_log_history": "clear_log_history",
}


class AmazonSettingsUpdate(host.BaseMutation):  # type: ignore[name-defined]
    settings = graphene.Field(AmazonSettings, description="The settings afterwards.")

    class Arguments:
        input = AmazonSettingsUpdateInput(
            required=True, description="Fields to change; the others stay as they are."
        )

    class Meta:
        description = (
            "Changes the settings of the whole channel, also as the shop's page of the "
            "plugin shows them."
        )
        permissions = (host.MANAGE_PLUGINS,)
        error_type_class = AmazonChannelError

    @classmethod
    def perform_mutation(cls, _root: Any, info: Any, /, *, input: Any) -> Any:
        changes = {
            _COLUMNS[name]: value for name, value in input.items() if value is not None
        }
        minutes = changes.get("pull_interval_minutes", MIN_PULL_MINUTES)
        if not MIN_PULL_MINUTES <= minutes <= MAX_PULL_MINUTES:
            raise refusal(
                ErrorCode.INVALID,
                f"Give a whole number of minutes from {MIN_PULL_MINUTES} to "
                f"{MAX_PULL_MINUTES}.",
                "pull_interval_minutes",
            )
        if not changes:
            return cls(settings=models.ChannelSettings.load())
        settings = channel_settings.change(changes)
        logger.info(
            "settings changed by %s: %s", host.requestor_name(info.context), changes
        )
        return cls(settings=settings)


class SettingsQueries(graphene.ObjectType):
    """Mixed into the Query."""

    amazon_settings = graphene.Field(
        AmazonSettings,
        required=True,
        description=requires("The channel's global settings.", host.MANAGE_PLUGINS),
    )

    @staticmethod
    def resolve_amazon_settings(_root: Any, info: Any) -> models.ChannelSettings:
        host.require(info.context, host.MANAGE_PLUGINS)
        with host.reading(info.context) as using:
            return models.ChannelSettings.load(using)


class SettingsMutations(graphene.ObjectType):
    """Mixed into the Mutation."""

    amazon_settings_update = AmazonSettingsUpdate.Field()
