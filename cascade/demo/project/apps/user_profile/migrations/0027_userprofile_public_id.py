from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0021_alter_userprofile_bio"),
    ]

    operations = [
        migrations.AddField(
            model_name="userprofile",
            name="public_id",
            field=models.CharField(max_length=16, null=True),
        ),
    ]
