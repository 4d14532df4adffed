from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0009_userprofile_privacy"),
    ]

    operations = [
        migrations.RenameField(
            model_name="userprofile",
            old_name="nickname",
            new_name="display_name",
        ),
    ]
