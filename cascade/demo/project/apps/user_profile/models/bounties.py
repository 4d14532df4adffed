from django.conf import settings
from django.db import models
from django.utils import timezone

from ...tournaments.models import Match


class Bounty(models.Model):
    """A challenge: somebody puts up credits for whoever meets it."""

    class Status(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        CLOSED = "closed"

    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bounties_created")
    match = models.ForeignKey(Match, on_delete=models.SET_NULL, null=True, blank=True, related_name="bounties")
    title = models.CharField(max_length=120)
    stake = models.PositiveIntegerField()
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "user_profile_bounty"
        verbose_name_plural = "bounties"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["status", "-created_at"], name="bounty_by_status_idx"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(stake__gt=0), name="bounty_has_a_stake"),
        ]

    def __str__(self) -> str:
        return self.title


class BountyParticipant(models.Model):
    """A player who takes up a bounty."""

    bounty = models.ForeignKey(Bounty, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bounty_participations")
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "user_profile_bounty_participant"
        constraints = [
            models.UniqueConstraint(fields=["bounty", "user"], name="unique_participant_per_bounty"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.bounty}"


class BountyResult(models.Model):
    """How a bounty ended."""

    bounty = models.OneToOneField(Bounty, on_delete=models.CASCADE, related_name="result")
    winner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="bounties_won"
    )
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "user_profile_bounty_result"

    def __str__(self) -> str:
        return f"{self.bounty}: {self.winner}"
