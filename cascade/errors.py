"""Everything that can go wrong, said in a sentence that advises.

A face prints ``str(error)`` and exits with 1. An error says what was found, where, and what to try.
It never holds a password or a row's values.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class CascadeError(Exception):
    """A problem that the user can do something about.

    ``message`` says what was found and where; ``hint`` says what to try next.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class ProjectError(CascadeError):
    """The Django project cannot be found, imported or set up."""


class UnsupportedVersion(CascadeError):
    """Django, the driver or the server is a version that cascade does not support."""


class DatabaseError(CascadeError):
    """The server cannot be reached, refuses, or is not PostgreSQL."""


class HistoryError(CascadeError):
    """The record of applied migrations cannot be found or read, or the files contradict it."""


class ReferenceFailed(CascadeError):
    """The expected side could not be built."""


class UnexpectedLock(ReferenceFailed):
    """Building the expected side took a lock outside its own temporary schema; all was rolled back."""


class FileError(CascadeError):
    """A file cannot be read or written, or is corrupt, cut off or newer than this program."""


class MissingExtra(CascadeError):
    """An optional part is not installed."""

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} is not installed.", hint=f"pip install 'django-cascade[{extra}]'")


class RenderingFailed(CascadeError):
    """The picture could not be drawn; its DOT source still can be had."""


class NoSuchName(CascadeError):
    """A name was given that nothing has; the nearest known one is suggested.

    >>> print(NoSuchName("app", "user_profil", ["accounts", "user_profile"]))
    There is no app "user_profil".
      Did you mean user_profile?
    >>> NoSuchName("table", "bounti", ["0038_bounty", "county", "user_profile_bounty"]).near
    ('0038_bounty', 'user_profile_bounty', 'county')
    """

    def __init__(self, what: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        candidates = sorted(set(known))
        whole = get_close_matches(name, candidates, n=3, cutoff=0.6)
        near = list(dict.fromkeys([*_near_in_part(name, candidates), *whole]))[:3]
        if near:
            hint = f"Did you mean {' or '.join(near)}?"
        elif len(candidates) <= 12:
            hint = f"Known: {', '.join(candidates) or 'none'}."
        else:
            hint = f"{len(candidates)} are known, none of a similar name."
        super().__init__(f'There is no {what} "{name}"{where}.', hint=hint)
        self.name = name
        self.near = tuple(near)


def first_line(error: BaseException) -> str:
    r"""What was said, without the context and the hint that follow.

    >>> first_line(ValueError("no such thing\nCONTEXT: here")), first_line(KeyboardInterrupt())
    ('no such thing', 'KeyboardInterrupt')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _near_in_part(name: str, candidates: Sequence[str]) -> list[str]:
    """Those that contain it, or whose last word is near to it: a table may be named without its app.

    >>> _near_in_part("bountyy", ["shop_order", "user_profile_bounty"])
    ['user_profile_bounty']
    """
    if containing := [known for known in candidates if name and name.lower() in known.lower()]:
        return containing[:3]
    last_words = {known: re.split(r"[._]", known)[-1] for known in candidates}
    near = get_close_matches(name, sorted(set(last_words.values())), n=3, cutoff=0.75)
    return [known for known, word in last_words.items() if word in near][:3]
