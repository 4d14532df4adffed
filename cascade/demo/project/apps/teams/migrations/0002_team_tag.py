from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="team",
            name="tag",
            field=models.CharField(blank=True, default="", max_length=6),
            preserve_default=False,
        ),
    ]
