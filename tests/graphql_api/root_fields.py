"""Every root field of ours: a request that asks for it, and the permission it takes.

For both rings: ``test_permissions`` here and in ``in_saleor``.
"""

from __future__ import annotations

CONNECT = """
mutation { amazonAccountConnect(input: {
  name: "", region: EU, sellerId: "A1", lwaClientId: "client",
  lwaClientSecret: "the-secret", refreshToken: "Atzr|the-token"
}) { account { id } errors { field code message } } }
"""

REQUESTS = {
    "amazonOrders": ("{ amazonOrders(first: 1) { totalCount } }", "MANAGE_ORDERS"),
    "amazonOrder": ('{ amazonOrder(amazonOrderId: "x") { id } }', "MANAGE_ORDERS"),
    "amazonOrdersImport": (
        "mutation { amazonOrdersImport { queued errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonOrderCancel": (
        'mutation { amazonOrderCancel(id: "x", reason: NO_INVENTORY) '
        "{ errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonMessagingOfferFetch": (
        'mutation { amazonMessagingOfferFetch(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonBuyerMessageSend": (
        'mutation { amazonBuyerMessageSend(id: "x", input: {action: WARRANTY}) '
        "{ errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonInvoicePush": (
        'mutation { amazonInvoicePush(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonReviewRequest": (
        'mutation { amazonReviewRequest(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonOrderAddressUpdate": (
        'mutation { amazonOrderAddressUpdate(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonOrderRedact": (
        'mutation { amazonOrderRedact(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonBlockers": ("{ amazonBlockers { code } }", "MANAGE_ORDERS"),
    "amazonOrderRetryImport": (
        "mutation { amazonOrderRetryImport(ids: []) { errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonListings": ("{ amazonListings(first: 1) { totalCount } }", "MANAGE_ORDERS"),
    "amazonOutbox": ("{ amazonOutbox(first: 1) { totalCount } }", "MANAGE_ORDERS"),
    "amazonOutboxRetry": (
        "mutation { amazonOutboxRetry(ids: []) { errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonShipmentConfirm": (
        'mutation { amazonShipmentConfirm(id: "x", input: {}) { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonRefundCreate": (
        'mutation { amazonRefundCreate(id: "x", input: {}) { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonOutboxDiscard": (
        "mutation { amazonOutboxDiscard(ids: []) { errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonBackfills": ("{ amazonBackfills { id } }", "MANAGE_ORDERS"),
    "amazonBackfillStart": (
        'mutation { amazonBackfillStart(input: { accountId: "x", createdAfter: '
        '"2026-01-01T00:00:00Z", createdBefore: "2026-01-02T00:00:00Z" }) '
        "{ errors { code } } }",
        "MANAGE_ORDERS",
    ),
    "amazonBackfillCancel": (
        'mutation { amazonBackfillCancel(id: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonReconcile": (
        'mutation { amazonReconcile(accountId: "x") { errors { code } } }',
        "MANAGE_ORDERS",
    ),
    "amazonReconciliations": ("{ amazonReconciliations { id } }", "MANAGE_ORDERS"),
    "amazonCommunicationLog": (
        "{ amazonCommunicationLog(first: 1) { totalCount } }",
        "MANAGE_PLUGINS",
    ),
    "amazonSalesSummary": ("{ amazonSalesSummary { endDate } }", "MANAGE_ORDERS"),
    "amazonSettings": ("{ amazonSettings { isActive } }", "MANAGE_PLUGINS"),
    "amazonSettingsUpdate": (
        "mutation { amazonSettingsUpdate(input: {}) { errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonScheduler": ("{ amazonScheduler { isActive } }", "MANAGE_PLUGINS"),
    "amazonShopChannels": ("{ amazonShopChannels { id } }", "MANAGE_PLUGINS"),
    "amazonSkuMappings": ("{ amazonSkuMappings { id } }", "MANAGE_PLUGINS"),
    "amazonSkuMappingSet": (
        'mutation { amazonSkuMappingSet(accountId: "x", input: []) '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonSkuMappingDelete": (
        "mutation { amazonSkuMappingDelete(ids: []) { errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonCarriers": ("{ amazonCarriers { carrier } }", "MANAGE_PLUGINS"),
    "amazonCarrierMappingSet": (
        'mutation { amazonCarrierMappingSet(accountId: "x", input: []) '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonSkuRuleSet": (
        'mutation { amazonSkuRuleSet(accountId: "x") { errors { code } } }',
        "MANAGE_PLUGINS",
    ),
    "amazonAccounts": ("{ amazonAccounts { id } }", "MANAGE_PLUGINS"),
    "amazonAccountConnect": (CONNECT, "MANAGE_PLUGINS"),
    "amazonAccountUpdate": (
        'mutation { amazonAccountUpdate(id: "x", input: {}) {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
    "amazonAccountDisconnect": (
        'mutation { amazonAccountDisconnect(id: "x") {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
    "amazonMarketplacesRefresh": (
        'mutation { amazonMarketplacesRefresh(accountId: "x") {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
    "amazonNotificationsSubscribe": (
        'mutation { amazonNotificationsSubscribe(accountId: "x", queueArn: "x") '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonNotificationsUnsubscribe": (
        'mutation { amazonNotificationsUnsubscribe(accountId: "x") '
        "{ errors { code } } }",
        "MANAGE_PLUGINS",
    ),
    "amazonMarketplaceUpdate": (
        'mutation { amazonMarketplaceUpdate(id: "x", input: {}) {errors { code }} }',
        "MANAGE_PLUGINS",
    ),
}
