"""Settings of the demo site. Its database is named by CASCADE_DEMO_* environment variables."""

import os
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent

SECRET_KEY = "only-for-the-demo"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "cascade.demo.project.apps.accounts",
    "cascade.demo.project.apps.teams",
    "cascade.demo.project.apps.tournaments",
    "cascade.demo.project.apps.user_profile",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "cascade.demo.project.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("CASCADE_DEMO_HOST", ""),
        "PORT": os.environ.get("CASCADE_DEMO_PORT", ""),
        "USER": os.environ.get("CASCADE_DEMO_USER", "migrator"),
        "PASSWORD": os.environ.get("CASCADE_DEMO_PASSWORD", ""),
        "NAME": os.environ.get("CASCADE_DEMO_NAME", "arena"),
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "my_settings"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"

CASCADE = {
    # migrate runs as the owner; pages are served by this role, and what they can find is what counts.
    "APP_ROLE": "app_user",
    # What has to work: the pages that were asked one at a time in the incident.
    "PROBES": [
        {"path": "/me/settings/", "as": "user", "expect": 200},
        {"path": "/@{user.username}/", "expect": 200},
        {"path": "/admin/", "as": "superuser", "expect": 200},
        {"path": "/admin/user_profile/userprofile/", "as": "superuser", "expect": 200},
    ],
}
