from .bounties import Bounty, BountyParticipant, BountyResult
from .endorsements import EndorsementOpportunity, SkillEndorsement
from .profiles import AboutItem, Badge, StreamConfig, UserProfile

__all__ = [
    "AboutItem",
    "Badge",
    "Bounty",
    "BountyParticipant",
    "BountyResult",
    "EndorsementOpportunity",
    "SkillEndorsement",
    "StreamConfig",
    "UserProfile",
]
