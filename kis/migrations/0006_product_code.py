from django.db import migrations, models

NEW = dict(help_text='ACNT_PRDT_CD', max_length=2, null=True, verbose_name='상품코드')


class Migration(migrations.Migration):

    dependencies = [
        ('kis', '0005_stocks_and_prices'),
    ]

    operations = [
        migrations.AddField(model_name=model, name='product_code', field=models.CharField(**NEW))
        for model in ('kisexecution', 'kisorderdetail', 'syncrun')
    ]
