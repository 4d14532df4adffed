import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tournaments", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("user_profile", "0036_userprofile_accent_color"),
    ]

    operations = [
        migrations.CreateModel(
            name="SkillEndorsement",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "skill_name",
                    models.CharField(
                        choices=[
                            ("aim", "Aim"),
                            ("strategy", "Strategy"),
                            ("teamwork", "Teamwork"),
                            ("calm", "Calm"),
                            ("fairness", "Fairness"),
                        ],
                        db_index=True,
                        max_length=20,
                    ),
                ),
                ("comment", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now),
                ),
                ("ip_address", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, max_length=500)),
                ("is_flagged", models.BooleanField(default=False)),
                ("flag_reason", models.TextField(blank=True)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "endorser",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="endorsements_given",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "match",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="endorsements",
                        to="tournaments.match",
                    ),
                ),
                (
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="endorsements_received",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="endorsements_reviewed",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "user_profile_skill_endorsement",
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["receiver", "-created_at"], name="user_profil_receive_a4e8c9_idx"),
                    models.Index(fields=["match", "created_at"], name="user_profil_match_i_8b9e49_idx"),
                    models.Index(fields=["receiver", "skill_name"], name="user_profil_receive_2d9b44_idx"),
                    models.Index(fields=["is_flagged", "created_at"], name="user_profil_is_flag_148abd_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("match", "endorser"), name="unique_endorsement_per_match_endorser"),
                    models.CheckConstraint(
                        condition=models.Q(("endorser", models.F("receiver")), _negated=True),
                        name="no_self_endorsement",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EndorsementOpportunity",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("is_used", models.BooleanField(default=False)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("notified", models.BooleanField(default=False)),
                ("notified_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "match",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opportunities",
                        to="tournaments.match",
                    ),
                ),
                (
                    "player",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="endorsement_opportunities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "endorsement opportunities",
                "db_table": "user_profile_endorsement_opportunity",
                "indexes": [
                    models.Index(fields=["expires_at", "is_used"], name="user_profil_expires_630798_idx"),
                    models.Index(
                        fields=["player", "is_used", "expires_at"],
                        name="user_profil_player__6b9b5a_idx",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("match", "player"), name="unique_opportunity_per_match_player"),
                ],
            },
        ),
    ]
