from django.conf import settings
from django.db import models

from ..teams.models import Team


class Tournament(models.Model):
    """A series of matches between teams."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    starts_at = models.DateTimeField()
    organizer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="organized_tournaments"
    )
    teams = models.ManyToManyField(Team, related_name="tournaments", blank=True)
    prize_pool = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    def __str__(self) -> str:
        return self.name


class Match(models.Model):
    """Two teams meet in a round of a tournament."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled"
        LIVE = "live"
        FINISHED = "finished"

    tournament = models.ForeignKey(Tournament, on_delete=models.CASCADE, related_name="matches")
    round_number = models.PositiveSmallIntegerField()
    home_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="home_matches")
    away_team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="away_matches")
    winner = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="won_matches")
    status = models.CharField(max_length=12, choices=Status, default=Status.SCHEDULED)
    starts_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "tournament_engine_match_match"
        verbose_name_plural = "matches"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(home_team=models.F("away_team")), name="no_match_against_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.home_team} against {self.away_team}"
