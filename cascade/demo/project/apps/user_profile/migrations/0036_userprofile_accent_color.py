from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0035_stream_config"),
    ]

    operations = [
        migrations.AddField(
            model_name="userprofile",
            name="accent_color",
            field=models.CharField(default="#0072b2", max_length=7),
        ),
    ]
