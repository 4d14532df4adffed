from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("teams", "0001_initial"),
        ("tournaments", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="tournament",
            name="teams",
            field=models.ManyToManyField(blank=True, related_name="tournaments", to="teams.team"),
        ),
        migrations.RenameField(
            model_name="match",
            old_name="state",
            new_name="status",
        ),
    ]
