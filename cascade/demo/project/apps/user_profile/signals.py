from typing import Any

from django.conf import settings
from django.db.models.signals import post_save
from django.dispatch import receiver

from .models import UserProfile


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def create_profile(sender: Any, instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    """Every new user has a profile."""
    if created and not raw:
        UserProfile.objects.create(user=instance, display_name=instance.username, public_id=f"ARN-{instance.pk:06d}")
