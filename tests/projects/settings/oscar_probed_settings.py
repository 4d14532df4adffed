"""The shop with its pages, its dashboard and Django's admin in working order."""

import json
import os

from oscar_settings import *  # noqa: F403

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "oscar.apps.search.context_processors.search_form",
                "oscar.apps.checkout.context_processors.checkout",
                "oscar.core.context_processors.metadata",
            ]
        },
    }
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "oscar.apps.basket.middleware.BasketMiddleware",
]
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "probed_urls_oscar"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
CASCADE = {"PROBES": json.loads(os.environ.get("PROBES", "[]"))}
