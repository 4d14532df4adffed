from django.conf import settings
from django.db import models
from django.utils import timezone


class Badge(models.Model):
    """An award that a profile can show."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.title


class UserProfile(models.Model):
    """What a player shows to others."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    display_name = models.CharField(max_length=40)
    bio = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True, db_index=True)
    created_at = models.DateTimeField(default=timezone.now)
    badges = models.ManyToManyField(Badge, related_name="holders", blank=True)
    is_public = models.BooleanField(default=True)
    show_teams = models.BooleanField(default=True)
    public_id = models.CharField(max_length=16, unique=True)
    accent_color = models.CharField(max_length=7, default="#0072b2")
    last_seen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.display_name


class AboutItem(models.Model):
    """One line of the "about me" list of a profile."""

    class Kind(models.TextChoices):
        GAME = "game"
        ROLE = "role"
        HARDWARE = "hardware"
        LINK = "link"

    profile = models.ForeignKey(UserProfile, on_delete=models.CASCADE, related_name="about_items")
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)
    is_visible = models.BooleanField(default=True)

    class Meta:
        db_table = "user_profile_about_item"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["profile", "position"], name="unique_about_item_position"),
        ]

    def __str__(self) -> str:
        return self.text


class StreamConfig(models.Model):
    """Where a player streams, and whether the profile shows it."""

    class Platform(models.TextChoices):
        VIDEO = "video"
        AUDIO = "audio"

    profile = models.OneToOneField(UserProfile, on_delete=models.CASCADE, related_name="stream_config")
    platform = models.CharField(max_length=12, choices=Platform)
    channel_url = models.URLField()
    is_shown = models.BooleanField(default=True)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "user_profile_stream_config"

    def __str__(self) -> str:
        return self.channel_url
