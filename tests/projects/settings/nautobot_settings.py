"""Nautobot without plugins, and without anything outside the database."""

import json
import os

os.environ.setdefault("NAUTOBOT_ROOT", os.environ["PROJECT_FOLDER"])

from nautobot.core.settings import *  # noqa: F403

SECRET_KEY = "for tests"
DATABASES = {"default": json.loads(os.environ["PROJECT_DATABASE"])}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_BROKER_URL = "memory://"
CONSTANCE_BACKEND = "constance.backends.memory.MemoryBackend"
INSTALLATION_METRICS_ENABLED = False
