"""cascade inside a Django project: ``INSTALLED_APPS += ["cascade.django_app"]``."""
