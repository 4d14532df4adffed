from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who signs in."""

    timezone = models.CharField(max_length=64, default="UTC")
