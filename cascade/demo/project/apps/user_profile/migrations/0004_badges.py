from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("user_profile", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Badge",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("slug", models.SlugField(unique=True)),
                ("title", models.CharField(max_length=60)),
            ],
        ),
        migrations.AddField(
            model_name="userprofile",
            name="badges",
            field=models.ManyToManyField(blank=True, related_name="holders", to="user_profile.badge"),
        ),
    ]
