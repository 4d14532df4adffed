"""Pretix with the plugins that it ships."""

import json
import os

os.environ.setdefault("DATA_DIR", os.environ["PROJECT_FOLDER"])
os.environ.setdefault("PRETIX_CONFIG_FILE", os.devnull)

from pretix.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["PROJECT_DATABASE"])}
