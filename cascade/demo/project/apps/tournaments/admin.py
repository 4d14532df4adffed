from django.contrib import admin

from .models import Match, Tournament


@admin.register(Tournament)
class TournamentAdmin(admin.ModelAdmin):
    list_display = ["name", "starts_at", "organizer"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Match)
class MatchAdmin(admin.ModelAdmin):
    list_display = ["tournament", "round_number", "home_team", "away_team", "status"]
    list_filter = ["status"]
    list_select_related = True
