from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("saleor_amazon_channel", "0003_cancellation_settled_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="amazonorder",
            name="is_import_requested",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="synccursor",
            name="without_buyer_since",
            field=models.DateTimeField(null=True),
        ),
    ]
