from django.db import migrations
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce


def fill_product_code(apps, schema_editor):
    """Take it from the snapshots: the first one from the row's day on, else the last one before.

    A run that never made a snapshot of its account has none; whose it was cannot be known and stays open.
    """
    snapshots = apps.get_model('kis', 'KisAccount').objects.all()
    of_account = snapshots.filter(account_no=OuterRef('account_no'), is_paper=OuterRef('is_paper'))
    newest = of_account.order_by('-snapshot_at').values('product_code')[:1]

    def next_one(**since):
        return of_account.filter(**since).order_by('snapshot_at').values('product_code')[:1]

    own = snapshots.filter(sync_run=OuterRef('pk')).values('product_code')[:1]
    for name, nearest in (
        ('KisExecution', [next_one(snapshot_at__date__gte=OuterRef('exec_dt'))]),
        ('KisOrderDetail', [next_one(snapshot_at__date__gte=OuterRef('ord_dt'))]),
        ('SyncRun', [own, next_one(snapshot_at__gte=OuterRef('started_at'))]),
    ):
        found = Coalesce(*(Subquery(query) for query in (*nearest, newest)), Value(''))
        apps.get_model('kis', name).objects.filter(product_code=None).update(product_code=found)


class Migration(migrations.Migration):

    dependencies = [
        ('kis', '0006_product_code'),
    ]

    operations = [
        migrations.RunPython(fill_product_code, migrations.RunPython.noop, elidable=True),
    ]
