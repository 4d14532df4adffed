import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0029_alter_userprofile_public_id"),
    ]

    operations = [
        migrations.CreateModel(
            name="AboutItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("game", "Game"),
                            ("role", "Role"),
                            ("hardware", "Hardware"),
                            ("link", "Link"),
                        ],
                        max_length=12,
                    ),
                ),
                ("text", models.CharField(max_length=200)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_visible", models.BooleanField(default=True)),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="about_items",
                        to="user_profile.userprofile",
                    ),
                ),
            ],
            options={
                "db_table": "user_profile_about_item",
                "ordering": ["position"],
                "constraints": [
                    models.UniqueConstraint(fields=("profile", "position"), name="unique_about_item_position")
                ],
            },
        ),
    ]
