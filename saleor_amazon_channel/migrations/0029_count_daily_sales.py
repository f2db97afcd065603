"""Adds up what the ledger has: some seconds for a million orders, which it only reads."""

from django.db import migrations

from ..amazon.marketplaces import MARKETPLACES

COUNT = """
    INSERT INTO saleor_amazon_channel_dailysales
        (account_id, marketplace_id, currency, day, order_count, unit_count, total)
    SELECT o.account_id, o.marketplace_id, o.currency,
        (o.created_time AT TIME ZONE COALESCE(zone.name, 'UTC'))::date,
        count(*), COALESCE(sum(items.units), 0), sum(o.grand_total)
    FROM saleor_amazon_channel_amazonorder AS o
    LEFT JOIN unnest(%s::text[], %s::text[]) AS zone (marketplace_id, name)
        USING (marketplace_id)
    LEFT JOIN (
        SELECT order_id, sum(quantity_ordered) AS units
        FROM saleor_amazon_channel_amazonorderitem
        GROUP BY order_id
    ) AS items ON items.order_id = o.id
    WHERE o.grand_total IS NOT NULL AND o.currency <> ''
        AND o.fulfillment_status NOT IN ('CANCELLED', 'UNFULFILLABLE')
    GROUP BY 1, 2, 3, 4
"""


def count(apps, schema_editor):
    zones = [info.time_zone for info in MARKETPLACES.values()]
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM saleor_amazon_channel_dailysales")
        cursor.execute(COUNT, [list(MARKETPLACES), zones])


class Migration(migrations.Migration):
    dependencies = [("saleor_amazon_channel", "0028_daily_sales")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
