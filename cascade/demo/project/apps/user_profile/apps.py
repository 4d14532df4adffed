from django.apps import AppConfig


class UserProfileConfig(AppConfig):
    name = "cascade.demo.project.apps.user_profile"
    label = "user_profile"

    def ready(self) -> None:
        from . import signals  # noqa: F401
