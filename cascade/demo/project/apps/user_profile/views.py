from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from ..teams.models import TeamMembership
from .models import (
    AboutItem,
    Bounty,
    BountyParticipant,
    SkillEndorsement,
    StreamConfig,
    UserProfile,
)


@login_required
def my_settings(request: HttpRequest) -> HttpResponse:
    """What the signed-in player may change."""
    profile = get_object_or_404(UserProfile, user_id=request.user.pk)
    memberships = list(TeamMembership.objects.filter(user_id=request.user.pk).select_related("team"))
    about_items = list(AboutItem.objects.filter(profile=profile))
    stream_config = StreamConfig.objects.filter(profile=profile).first()
    return render(
        request,
        "user_profile/settings.html",
        {
            "profile": profile,
            "memberships": memberships,
            "about_items": about_items,
            "stream_config": stream_config,
        },
    )


def public_profile(request: HttpRequest, username: str) -> HttpResponse:
    """What everybody may see of a player."""
    profile = get_object_or_404(UserProfile.objects.select_related("user"), user__username=username, is_public=True)
    about_items = list(AboutItem.objects.filter(profile=profile, is_visible=True))
    stream_config = StreamConfig.objects.filter(profile=profile, is_shown=True).first()
    endorsements = list(
        SkillEndorsement.objects.filter(receiver=profile.user, is_flagged=False).select_related("endorser")[:20]
    )
    bounties = list(Bounty.objects.filter(creator=profile.user)[:20])
    participations = list(BountyParticipant.objects.filter(user=profile.user).select_related("bounty")[:20])
    return render(
        request,
        "user_profile/public_profile.html",
        {
            "profile": profile,
            "about_items": about_items,
            "stream_config": stream_config,
            "endorsements": endorsements,
            "bounties": bounties,
            "participations": participations,
        },
    )
