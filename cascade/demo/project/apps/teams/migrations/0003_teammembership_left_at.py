from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0002_team_tag"),
    ]

    operations = [
        migrations.AddField(
            model_name="teammembership",
            name="left_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
