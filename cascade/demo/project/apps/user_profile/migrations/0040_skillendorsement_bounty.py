import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0039_bounty_result"),
    ]

    operations = [
        migrations.AddField(
            model_name="skillendorsement",
            name="bounty",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="endorsements",
                to="user_profile.bounty",
            ),
        ),
    ]
