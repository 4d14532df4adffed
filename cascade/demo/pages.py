"""Ask the pages of the site as its visitors do, and print what each answered as JSON.

A program of its own, because settings are one thing for a whole process.
"""

import json
from collections.abc import Iterator

import django

PAGES = (
    ("", "/@amber1/"),
    ("amber1", "/me/settings/"),
    ("referee", "/admin/"),
    ("referee", "/admin/user_profile/userprofile/"),
    ("referee", "/admin/teams/team/"),
    ("referee", "/admin/tournaments/tournament/"),
)
"""Who asks (nobody in particular where it is empty), and for which page."""


def main() -> None:
    """Ask all of them; a page that fails does not end the rest."""
    django.setup()
    print(json.dumps(dict(ask_pages())))


def ask_pages() -> Iterator[tuple[str, int | str]]:
    """Each page with its status, or with the first line of the database's error."""
    from django.contrib.auth import get_user_model
    from django.db import DatabaseError
    from django.test import Client

    for username, path in PAGES:
        client = Client()
        try:
            if username:
                client.force_login(get_user_model().objects.get(username=username))
            yield path, client.get(path).status_code
        except DatabaseError as error:
            yield path, str(error).splitlines()[0]


if __name__ == "__main__":
    main()
