"""The rows of the demo: always the same ones, written by the models as they were at the time.

Models of the current code would name columns that later migrations add. So the rows go in through
the models of the applied migrations, as they would have through the code of that day.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

PLAYERS = 60
TEAMS = 12
TOURNAMENTS = 4
MATCHES = 180
BOUNTIES = 120

_FIRST_DAY = datetime(2025, 11, 1, 12, tzinfo=UTC)
_NAMES = ("amber", "basalt", "cobalt", "delta", "ember", "flint", "garnet", "harbor", "indigo", "jasper")


def insert_players_and_matches() -> None:
    """Users with profiles and badges, teams with members, tournaments with matches."""
    apps = _applied_models()
    users = _insert_users(apps)
    _insert_profiles(apps, users)
    teams = _insert_teams(apps, users)
    _insert_matches(apps, users, teams)


def insert_profile_content() -> None:
    """About items, stream configs, bounties with participants, and endorsements.

    Nobody has been offered an endorsement yet and no bounty is decided: two tables stay empty.
    """
    apps = _applied_models()
    _insert_about_and_streams(apps)
    bounties = _insert_bounties(apps)
    _insert_endorsements(apps, bounties)


def _applied_models() -> Any:
    loader = MigrationLoader(connection)
    return loader.project_state(sorted(loader.applied_migrations)).apps


def _insert_users(apps: Any) -> list[Any]:
    """The referee, who may do everything, then the players. None of them has a password that fits."""
    User = apps.get_model("accounts", "User")
    referee = User(username="referee", is_staff=True, is_superuser=True)
    players = [User(username=f"{_NAMES[i % 10]}{i // 10 + 1}") for i in range(PLAYERS)]
    for i, user in enumerate([referee, *players]):
        user.password = "!"
        user.email = f"{user.username}@arena.example"
        user.date_joined = _after(hours=i)
    return list(User.objects.bulk_create([referee, *players]))


def _insert_profiles(apps: Any, users: list[Any]) -> None:
    Badge = apps.get_model("user_profile", "Badge")
    UserProfile = apps.get_model("user_profile", "UserProfile")
    badges = Badge.objects.bulk_create(
        [
            Badge(slug="first-win", title="First win"),
            Badge(slug="fair-play", title="Fair play"),
            Badge(slug="veteran", title="Veteran"),
        ]
    )
    profiles = UserProfile.objects.bulk_create(
        [
            UserProfile(
                user=user,
                display_name=user.username.capitalize(),
                bio=f"Plays since day {i + 1}.",
                created_at=user.date_joined,
            )
            for i, user in enumerate(users)
        ]
    )
    Worn = UserProfile.badges.through
    Worn.objects.bulk_create(
        [Worn(userprofile=profile, badge=badges[i % 3]) for i, profile in enumerate(profiles) if i % 2]
    )


def _insert_teams(apps: Any, users: list[Any]) -> list[Any]:
    """Each team gets seven members; some players are in two teams."""
    Team = apps.get_model("teams", "Team")
    TeamMembership = apps.get_model("teams", "TeamMembership")
    teams = list(
        Team.objects.bulk_create(
            [Team(name=f"Team {chr(65 + i)}", tag=f"T{chr(65 + i)}", founded_at=_after(days=i)) for i in range(TEAMS)]
        )
    )
    players = users[1:]
    TeamMembership.objects.bulk_create(
        [
            TeamMembership(
                team=team,
                user=players[(5 * i + k) % PLAYERS],
                role="captain" if k == 0 else "player" if k < 5 else "substitute",
                joined_at=_after(days=i, hours=k),
            )
            for i, team in enumerate(teams)
            for k in range(7)
        ]
    )
    return teams


def _insert_matches(apps: Any, users: list[Any], teams: list[Any]) -> None:
    Tournament = apps.get_model("tournaments", "Tournament")
    Match = apps.get_model("tournaments", "Match")
    tournaments = Tournament.objects.bulk_create(
        [
            Tournament(name=f"Cup {i + 1}", slug=f"cup-{i + 1}", starts_at=_after(days=14 * i), organizer=users[0])
            for i in range(TOURNAMENTS)
        ]
    )
    for i, tournament in enumerate(tournaments):
        tournament.teams.add(*(team for k, team in enumerate(teams) if (i + k) % 3))
    matches = []
    for i in range(MATCHES):
        home = i % TEAMS
        away = (home + 1 + i // TEAMS % (TEAMS - 1)) % TEAMS
        finished = i < MATCHES - 20
        matches.append(
            Match(
                tournament=tournaments[i * TOURNAMENTS // MATCHES],
                round_number=i % 45 // 6 + 1,
                home_team=teams[home],
                away_team=teams[away],
                winner=teams[home if i % 3 else away] if finished else None,
                status="finished" if finished else "scheduled",
                starts_at=_after(hours=6 * i),
            )
        )
    Match.objects.bulk_create(matches)


def _insert_about_and_streams(apps: Any) -> None:
    """Four about items for each player's profile, a stream config for every third."""
    AboutItem = apps.get_model("user_profile", "AboutItem")
    StreamConfig = apps.get_model("user_profile", "StreamConfig")
    UserProfile = apps.get_model("user_profile", "UserProfile")
    profiles = list(UserProfile.objects.order_by("pk"))[1:]
    AboutItem.objects.bulk_create(
        [
            AboutItem(profile=profile, kind=kind, text=f"{kind} {i % 7 + 1}", position=k, is_visible=k < 3)
            for i, profile in enumerate(profiles)
            for k, kind in enumerate(["game", "role", "hardware", "link"])
        ]
    )
    StreamConfig.objects.bulk_create(
        [
            StreamConfig(
                profile=profile,
                platform="video" if i % 2 else "audio",
                channel_url=f"https://stream.example/{profile.display_name.lower()}",
                updated_at=_after(days=60, hours=i),
            )
            for i, profile in enumerate(profiles)
            if i % 3 == 0
        ]
    )


def _insert_bounties(apps: Any) -> list[Any]:
    """Bounties of the players in turn; most of them have two participants."""
    Bounty = apps.get_model("user_profile", "Bounty")
    BountyParticipant = apps.get_model("user_profile", "BountyParticipant")
    players, matches = _players_and_matches(apps)
    bounties = list(
        Bounty.objects.bulk_create(
            [
                Bounty(
                    creator=players[i % PLAYERS],
                    match=matches[i] if i % 2 else None,
                    title=f"Win without a timeout, part {i + 1}",
                    stake=50 + 10 * (i % 9),
                    status="accepted" if i < 100 else "open",
                    created_at=_after(days=61, hours=i),
                )
                for i in range(BOUNTIES)
            ]
        )
    )
    BountyParticipant.objects.bulk_create(
        [
            BountyParticipant(
                bounty=bounty,
                user=players[(i + k) % PLAYERS],
                joined_at=bounty.created_at + timedelta(hours=k),
            )
            for i, bounty in enumerate(bounties[:100])
            for k in (1, 2)
        ]
    )
    return bounties


def _insert_endorsements(apps: Any, bounties: list[Any]) -> None:
    """Two or three endorsements after each finished match, a few of them flagged and reviewed."""
    SkillEndorsement = apps.get_model("user_profile", "SkillEndorsement")
    User = apps.get_model("accounts", "User")
    referee = User.objects.get(username="referee")
    players, matches = _players_and_matches(apps)
    skills = ["aim", "strategy", "teamwork", "calm", "fairness"]
    endorsements = []
    for i, match in enumerate(matches):
        if match.status != "finished":
            continue
        for k in range(2 + i % 2):
            endorser = (7 * i + 11 * k) % PLAYERS
            flagged = i % 40 == 39 and k == 0
            endorsements.append(
                SkillEndorsement(
                    match=match,
                    bounty=bounties[i % BOUNTIES] if i % 4 == 0 else None,
                    endorser=players[endorser],
                    receiver=players[(endorser + 1 + i % 5) % PLAYERS],
                    skill_name=skills[(i + k) % 5],
                    comment="Well played." if k == 0 else "",
                    created_at=match.starts_at + timedelta(minutes=10 * (k + 1)),
                    ip_address=f"192.0.2.{i % 250 + 1}",
                    user_agent="arena-app",
                    is_flagged=flagged,
                    flag_reason="Not in the match." if flagged else "",
                    reviewed_at=_after(days=70) if flagged else None,
                    reviewed_by=referee if flagged else None,
                )
            )
    SkillEndorsement.objects.bulk_create(endorsements)


def _players_and_matches(apps: Any) -> tuple[list[Any], list[Any]]:
    User = apps.get_model("accounts", "User")
    Match = apps.get_model("tournaments", "Match")
    return list(User.objects.order_by("pk")[1:]), list(Match.objects.order_by("pk"))


def _after(*, days: int = 0, hours: int = 0) -> datetime:
    return _FIRST_DAY + timedelta(days=days, hours=hours)
