from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kis', '0008_account_has_product_code'),
    ]

    operations = [
        migrations.AddField(
            model_name='kisexecution',
            name='cost_basis',
            field=models.CharField(blank=True, choices=[('table', '요율표'), ('guessed', '요율표, 시장을 몰라 코스피로 계산'), ('trades', '기간별 매매손익'), ('day', '일합계 기준')], default='', max_length=10, verbose_name='비용 근거'),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='kisexecution',
            name='cost_source',
            field=models.CharField(choices=[('unknown', '미정'), ('estimated', '추정'), ('actual', '확정')], default='unknown', max_length=10, verbose_name='비용'),
        ),
        migrations.AddIndex(
            model_name='kisexecution',
            index=models.Index(condition=models.Q(('cost_source__in', ['unknown', 'estimated'])), fields=['account_no', 'is_paper', 'product_code', 'exec_dt'], name='kis_execution_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='kisexecution',
            constraint=models.CheckConstraint(condition=models.Q(('cost_basis__in', ['', 'table', 'guessed', 'trades', 'day'])), name='kis_execution_basis_known'),
        ),
    ]
