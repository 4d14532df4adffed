from django.contrib import admin

from .models import Badge, UserProfile


@admin.register(UserProfile)
class UserProfileAdmin(admin.ModelAdmin):
    list_display = ["display_name", "user", "public_id", "country", "is_public"]
    list_filter = ["is_public"]
    list_select_related = ["user"]
    search_fields = ["display_name", "public_id", "user__username"]
    filter_horizontal = ["badges"]


admin.site.register(Badge)
