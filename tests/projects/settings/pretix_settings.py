"""Pretix with the plugins that it ships."""

import json
import os
import tempfile

os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="pretix-"))
os.environ.setdefault("PRETIX_CONFIG_FILE", os.devnull)

from pretix.settings import *  # noqa: F403

DATABASES = {"default": json.loads(os.environ["PROJECT_DATABASE"])}
