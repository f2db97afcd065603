"""For a live shop: concurrently, so that orders go on being recorded meanwhile.

Should it be interrupted, drop the index that is left INVALID and migrate again.
"""

import django.db.models.functions.comparison
from decimal import Decimal
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.expressions import CombinedExpression


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("saleor_amazon_channel", "0032_cancellation_mechanism")]

    operations = [
        AddIndexConcurrently(
            model_name="amazonorder",
            index=models.Index(
                CombinedExpression(
                    models.F("ship_by"), "-", models.F("created_time")
                ),
                name="amz_order_time_to_ship_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="amazonorder",
            index=models.Index(
                models.F("marketplace_id"),
                models.F("currency"),
                django.db.models.functions.comparison.Coalesce(
                    "grand_total", models.Value(Decimal("0"))
                ),
                models.F("id"),
                name="amz_order_place_total_idx",
            ),
        ),
    ]
