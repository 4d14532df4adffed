import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0033_about_item"),
    ]

    operations = [
        migrations.CreateModel(
            name="StreamConfig",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "platform",
                    models.CharField(choices=[("video", "Video"), ("audio", "Audio")], max_length=12),
                ),
                ("channel_url", models.URLField()),
                ("is_shown", models.BooleanField(default=True)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "profile",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stream_config",
                        to="user_profile.userprofile",
                    ),
                ),
            ],
            options={
                "db_table": "user_profile_stream_config",
            },
        ),
    ]
