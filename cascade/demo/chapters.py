"""The history of the demo's database in chapters, each a program that ``replay`` runs.

A program and not a function, because the settings are one thing for a whole process and the
chapters need different ones. Each prints the commands that it runs.
"""

import sys
from enum import StrEnum

import django
from django.core.management import call_command

LAST_BEFORE_THE_WINDOW = "0029"
LAST_IN_THE_WINDOW = "0040"


class Chapter(StrEnum):
    """What happens, in this order."""

    FOUNDATION = "foundation"
    """The site goes into service: users, teams, matches and plain profiles."""

    PROFILES = "profiles"
    """user_profile grows: about items, streams, endorsements, bounties."""

    AFTERWARDS = "afterwards"
    """Later migrations, all of tables that were there before."""

    AFTERWARDS_FAKED = "afterwards-faked"
    """The same, only that the one of teams is recorded without being run."""

    HAND_REPAIR = "hand-repair"
    """Somebody meets the first missing tables, and writes a migration that makes them."""


def main() -> None:
    """Tell the chapter that the command line names, with the settings that the environment names."""
    django.setup()
    tell(Chapter(sys.argv[1]))


def tell(chapter: Chapter) -> None:
    """Run the commands of a chapter, and insert the rows of its time."""
    # Models can be imported only after django.setup().
    from cascade.demo import rows

    match chapter:
        case Chapter.FOUNDATION:
            _migrate("admin")
            _migrate("sessions")
            _migrate("accounts", "0002")
            _migrate("teams", "0002")
            _migrate("tournaments", "0002")
            _migrate("user_profile", "0021")
            rows.insert_players_and_matches()
            _migrate("user_profile", LAST_BEFORE_THE_WINDOW)
        case Chapter.PROFILES:
            _migrate("user_profile", LAST_IN_THE_WINDOW)
            rows.insert_profile_content()
        case Chapter.AFTERWARDS:
            _migrate()
        case Chapter.AFTERWARDS_FAKED:
            _migrate("teams", fake=True)
            _migrate()
        case Chapter.HAND_REPAIR:
            _migrate("user_profile")


def _migrate(*target: str, fake: bool = False) -> None:
    print(" ".join(["migrate", *target, *(["--fake"] if fake else [])]))
    call_command("migrate", *target, fake=fake, verbosity=0, interactive=False)


if __name__ == "__main__":
    main()
