"""Nautobot without plugins, and without anything outside the database."""

import json
import os

os.environ.setdefault("NAUTOBOT_ROOT", os.environ["PROJECT_FOLDER"])

from django.core.cache.backends.locmem import LocMemCache
from nautobot.core.settings import *  # noqa: F403


class Cache(LocMemCache):
    """In memory, and with the one thing that Nautobot expects of Redis beside."""

    def delete_pattern(self, pattern: str) -> None:
        """More than is asked for goes, which a cache may do at any time."""
        self.clear()


SECRET_KEY = "for tests"
DATABASES = {"default": json.loads(os.environ["PROJECT_DATABASE"])}
CACHES = {"default": {"BACKEND": f"{__name__}.Cache"}}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"
CONSTANCE_BACKEND = "constance.backends.memory.MemoryBackend"
INSTALLATION_METRICS_ENABLED = False
