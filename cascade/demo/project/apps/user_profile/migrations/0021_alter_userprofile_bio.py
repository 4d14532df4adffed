from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0015_rename_nickname_userprofile_display_name"),
    ]

    operations = [
        migrations.AlterField(
            model_name="userprofile",
            name="bio",
            field=models.TextField(blank=True),
        ),
    ]
