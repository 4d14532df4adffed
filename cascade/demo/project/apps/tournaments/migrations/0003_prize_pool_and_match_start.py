from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tournaments", "0002_tournament_teams"),
    ]

    operations = [
        migrations.AddField(
            model_name="tournament",
            name="prize_pool",
            field=models.DecimalField(decimal_places=2, default=0, max_digits=10),
        ),
        migrations.AlterField(
            model_name="match",
            name="starts_at",
            field=models.DateTimeField(db_index=True),
        ),
    ]
