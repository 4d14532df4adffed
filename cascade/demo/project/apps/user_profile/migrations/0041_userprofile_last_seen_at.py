from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0040_skillendorsement_bounty"),
    ]

    operations = [
        migrations.AddField(
            model_name="userprofile",
            name="last_seen_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
