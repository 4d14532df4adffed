from django.apps import AppConfig


class TournamentsConfig(AppConfig):
    name = "cascade.demo.project.apps.tournaments"
    label = "tournaments"
