"""A shop of django-oscar as its own documentation sets one up."""

import json
import os

import oscar
from oscar.defaults import *  # noqa: F403

SECRET_KEY = "for tests"
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {"default": json.loads(os.environ["PROJECT_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
SITE_ID = 1
ROOT_URLCONF = "django.contrib.flatpages.urls"
STATIC_URL = "/static/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}

INSTALLED_APPS = list(oscar.INSTALLED_APPS)
