from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import path

from .apps.user_profile.views import my_settings, public_profile

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(), name="login"),
    path("me/settings/", my_settings, name="my_settings"),
    path("@<str:username>/", public_profile, name="public_profile"),
]
