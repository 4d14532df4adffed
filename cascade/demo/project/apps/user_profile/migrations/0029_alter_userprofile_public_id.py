from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0028_fill_public_ids"),
    ]

    operations = [
        migrations.AlterField(
            model_name="userprofile",
            name="public_id",
            field=models.CharField(max_length=16, unique=True),
        ),
    ]
