from django.conf import settings
from django.db import models
from django.utils import timezone

from ...tournaments.models import Match
from .bounties import Bounty


class SkillEndorsement(models.Model):
    """After a match one player praises one skill of another."""

    class Skill(models.TextChoices):
        AIM = "aim"
        STRATEGY = "strategy"
        TEAMWORK = "teamwork"
        CALM = "calm"
        FAIRNESS = "fairness"

    match = models.ForeignKey(Match, on_delete=models.CASCADE, related_name="endorsements")
    bounty = models.ForeignKey(Bounty, on_delete=models.SET_NULL, null=True, blank=True, related_name="endorsements")
    endorser = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="endorsements_given")
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="endorsements_received"
    )
    skill_name = models.CharField(max_length=20, choices=Skill, db_index=True)
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=500, blank=True)
    is_flagged = models.BooleanField(default=False)
    flag_reason = models.TextField(blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="endorsements_reviewed",
    )

    class Meta:
        db_table = "user_profile_skill_endorsement"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["receiver", "-created_at"], name="user_profil_receive_a4e8c9_idx"),
            models.Index(fields=["match", "created_at"], name="user_profil_match_i_8b9e49_idx"),
            models.Index(fields=["receiver", "skill_name"], name="user_profil_receive_2d9b44_idx"),
            models.Index(fields=["is_flagged", "created_at"], name="user_profil_is_flag_148abd_idx"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["match", "endorser"], name="unique_endorsement_per_match_endorser"),
            models.CheckConstraint(condition=~models.Q(endorser=models.F("receiver")), name="no_self_endorsement"),
        ]

    def __str__(self) -> str:
        return f"{self.skill_name} for {self.receiver}"


class EndorsementOpportunity(models.Model):
    """For a while after a match a player may endorse somebody who took part."""

    match = models.ForeignKey(Match, on_delete=models.CASCADE, related_name="opportunities")
    player = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="endorsement_opportunities"
    )
    expires_at = models.DateTimeField(db_index=True)
    is_used = models.BooleanField(default=False)
    used_at = models.DateTimeField(null=True, blank=True)
    notified = models.BooleanField(default=False)
    notified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "user_profile_endorsement_opportunity"
        verbose_name_plural = "endorsement opportunities"
        indexes = [
            models.Index(fields=["expires_at", "is_used"], name="user_profil_expires_630798_idx"),
            models.Index(fields=["player", "is_used", "expires_at"], name="user_profil_player__6b9b5a_idx"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["match", "player"], name="unique_opportunity_per_match_player"),
        ]

    def __str__(self) -> str:
        return f"{self.player} until {self.expires_at}"
