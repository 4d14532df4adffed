"""The migrations of user_profile, with the repair that was written by hand after them.

A package may have its modules in several folders (``__path__``, Python reference 5.4.1), and Django looks for
migrations where ``MIGRATION_MODULES`` says.
"""

from cascade.demo.project.apps.user_profile import migrations

__path__ = [*__path__, *migrations.__path__]
