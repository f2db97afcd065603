"""For a live shop: concurrently, so that orders go on being recorded meanwhile.

Should it be interrupted, drop the index that is left INVALID and migrate again.
"""

from decimal import Decimal

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("saleor_amazon_channel", "0034_credit_notes")]

    operations = [
        AddIndexConcurrently(
            model_name="amazonorder",
            index=models.Index(
                models.F("currency"),
                Coalesce("grand_total", models.Value(Decimal(0))),
                models.F("id"),
                models.F("grand_total"),
                models.F("account"),
                models.F("marketplace_id"),
                models.F("fulfilled_by"),
                models.F("fulfillment_status"),
                models.F("import_state"),
                name="amz_order_by_total_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="amazonorder",
            index=models.Index(
                fields=[
                    "account",
                    "marketplace_id",
                    "fulfilled_by",
                    "fulfillment_status",
                    "import_state",
                    "currency",
                ],
                name="amz_order_group_idx",
            ),
        ),
        RemoveIndexConcurrently(model_name="amazonorder", name="amz_order_total_idx"),
        RemoveIndexConcurrently(
            model_name="amazonorder", name="amz_order_place_total_idx"
        ),
    ]
