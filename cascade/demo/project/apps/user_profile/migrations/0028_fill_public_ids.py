from typing import Any

from django.db import migrations


def fill_public_ids(apps: Any, schema_editor: Any) -> None:
    UserProfile = apps.get_model("user_profile", "UserProfile")
    profiles = list(UserProfile.objects.filter(public_id__isnull=True).order_by("pk"))
    for profile in profiles:
        profile.public_id = f"ARN-{profile.user_id:06d}"
    UserProfile.objects.bulk_update(profiles, ["public_id"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0027_userprofile_public_id"),
    ]

    operations = [
        migrations.RunPython(fill_public_ids, migrations.RunPython.noop),
    ]
