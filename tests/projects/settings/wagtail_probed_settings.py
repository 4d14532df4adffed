"""Wagtail with its admin in working order."""

import json
import os

from wagtail_settings import *  # noqa: F403
from wagtail_settings import MIDDLEWARE

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
MIDDLEWARE = [*MIDDLEWARE, "wagtail.contrib.redirects.middleware.RedirectMiddleware"]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "probed_urls_wagtail"
CASCADE = {"PROBES": json.loads(os.environ.get("PROBES", "[]"))}
