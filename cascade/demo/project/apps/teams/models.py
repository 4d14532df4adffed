from django.conf import settings
from django.db import models
from django.utils import timezone


class Team(models.Model):
    """A group of players who enter tournaments together."""

    name = models.CharField(max_length=80, unique=True)
    tag = models.CharField(max_length=6, blank=True)
    founded_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="TeamMembership", related_name="teams")

    def __str__(self) -> str:
        return self.name


class TeamMembership(models.Model):
    """A player's time in a team; it goes on for as long as ``left_at`` is empty."""

    class Role(models.TextChoices):
        CAPTAIN = "captain"
        PLAYER = "player"
        SUBSTITUTE = "substitute"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="team_memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.PLAYER)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="unique_member_per_team"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"
