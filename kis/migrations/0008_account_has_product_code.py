from django.db import migrations, models

KNOWN = dict(help_text='ACNT_PRDT_CD', max_length=2, verbose_name='상품코드')


class Migration(migrations.Migration):

    dependencies = [
        ('kis', '0007_fill_product_code'),
    ]

    operations = [
        migrations.AlterField(model_name='kisexecution', name='product_code', field=models.CharField(**KNOWN)),
        migrations.AlterField(model_name='kisorderdetail', name='product_code', field=models.CharField(**KNOWN)),
        migrations.AlterField(model_name='syncrun', name='product_code', field=models.CharField(**KNOWN)),
        migrations.RemoveConstraint(model_name='kisexecution', name='kis_execution_order_once'),
        migrations.AddConstraint(
            model_name='kisexecution',
            constraint=models.UniqueConstraint(fields=('account_no', 'is_paper', 'product_code', 'exec_dt', 'ord_gno_brno', 'odno'), name='kis_execution_order_once'),
        ),
        migrations.RemoveConstraint(model_name='kisorderdetail', name='kis_order_detail_once'),
        migrations.AddConstraint(
            model_name='kisorderdetail',
            constraint=models.UniqueConstraint(fields=('account_no', 'is_paper', 'product_code', 'ord_dt', 'ord_gno_brno', 'odno'), name='kis_order_detail_once'),
        ),
        migrations.RemoveConstraint(model_name='syncrun', name='kis_sync_run_slot_once'),
        migrations.AddConstraint(
            model_name='syncrun',
            constraint=models.UniqueConstraint(fields=('job', 'slot', 'account_no', 'is_paper', 'product_code'), name='kis_sync_run_slot_once'),
        ),
        migrations.RemoveIndex(model_name='syncrun', name='kis_sync_run_latest'),
        migrations.AddIndex(
            model_name='syncrun',
            index=models.Index(fields=['account_no', 'is_paper', 'product_code', '-started_at'], name='kis_sync_run_latest'),
        ),
    ]
