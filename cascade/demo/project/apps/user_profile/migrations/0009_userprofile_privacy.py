from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0004_badges"),
    ]

    operations = [
        migrations.AddField(
            model_name="userprofile",
            name="is_public",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="userprofile",
            name="show_teams",
            field=models.BooleanField(default=True),
        ),
    ]
