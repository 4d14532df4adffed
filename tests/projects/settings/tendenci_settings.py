"""Tendenci, an association's site, with all of its apps but the maps, which need more than Python."""

import json
import os

os.environ.setdefault("TENDENCI_PROJECT_ROOT", os.environ["PROJECT_FOLDER"])
os.makedirs(os.path.join(os.environ["TENDENCI_PROJECT_ROOT"], "themes"), exist_ok=True)

from tendenci.settings import *  # noqa: E402, F403
from tendenci.settings import INSTALLED_APPS  # noqa: E402

SECRET_KEY = "for tests, long enough for 32 bytes"
SITE_SETTINGS_KEY = "for tests, long enough for 32 by"
DATABASES = {"default": json.loads(os.environ["PROJECT_DATABASE"])}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MAPS = {"django.contrib.gis", "tendenci.apps.social_services"}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in MAPS]
LOGGING = {"version": 1}
