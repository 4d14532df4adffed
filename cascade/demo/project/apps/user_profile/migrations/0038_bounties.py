import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tournaments", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("user_profile", "0037_p0_skill_endorsements"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bounty",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("title", models.CharField(max_length=120)),
                ("stake", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("accepted", "Accepted"), ("closed", "Closed")],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "creator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bounties_created",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "match",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="bounties",
                        to="tournaments.match",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "bounties",
                "db_table": "user_profile_bounty",
                "ordering": ["-created_at"],
                "indexes": [models.Index(fields=["status", "-created_at"], name="bounty_by_status_idx")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("stake__gt", 0)), name="bounty_has_a_stake")
                ],
            },
        ),
        migrations.CreateModel(
            name="BountyParticipant",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "bounty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="user_profile.bounty",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bounty_participations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "user_profile_bounty_participant",
                "constraints": [
                    models.UniqueConstraint(fields=("bounty", "user"), name="unique_participant_per_bounty")
                ],
            },
        ),
    ]
