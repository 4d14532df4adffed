"""Wagtail with the large apps that it tests itself with: they hang on its Page by inheritance."""

from wagtail_settings import *  # noqa: F403
from wagtail_settings import INSTALLED_APPS

AUTH_USER_MODEL = "customuser.CustomUser"
WAGTAIL_I18N_ENABLED = True
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [("en", "English"), ("fr", "French")]

INSTALLED_APPS = [
    "wagtail.test.earlypage",
    "wagtail.test.testapp",
    "wagtail.test.demosite",
    "wagtail.test.snippets",
    "wagtail.test.routablepage",
    "wagtail.test.i18n",
    "wagtail.test.streamfield_migrations",
    "wagtail.test.customuser",
    *INSTALLED_APPS,
]
