from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "cascade.demo.project.apps.teams"
    label = "teams"
