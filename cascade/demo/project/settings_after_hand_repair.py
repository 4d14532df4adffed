"""The same site later: user_profile has one migration more, a repair that was written by hand."""

from .settings import *  # noqa: F403

MIGRATION_MODULES = {"user_profile": "cascade.demo.project.hand_repair.migrations"}
