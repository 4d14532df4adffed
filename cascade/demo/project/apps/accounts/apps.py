from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "cascade.demo.project.apps.accounts"
    label = "accounts"
