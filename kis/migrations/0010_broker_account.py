import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kis', '0009_cost_basis'),
    ]

    operations = [
        migrations.CreateModel(
            name='BrokerAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(help_text='명령에서 --account로 부를 이름', max_length=20, verbose_name='별칭')),
                ('mode', models.CharField(choices=[('real', '실전'), ('paper', '모의')], max_length=5, verbose_name='모드')),
                ('app_key_encrypted', models.TextField(editable=False, verbose_name='앱키 (암호문)')),
                ('app_secret_encrypted', models.TextField(editable=False, verbose_name='앱시크릿 (암호문)')),
                ('account_encrypted', models.TextField(editable=False, verbose_name='계좌번호 (암호문)')),
                ('hts_id_encrypted', models.TextField(blank=True, editable=False, verbose_name='HTS ID (암호문)')),
                ('account_fingerprint', models.CharField(editable=False, max_length=64, verbose_name='계좌번호 지문')),
                ('base_url', models.CharField(blank=True, help_text='비워 두면 설정의 주소. 시뮬레이터를 쓸 때만', max_length=200, verbose_name='REST 주소')),
                ('ws_url', models.CharField(blank=True, help_text='비워 두면 설정의 주소. 시뮬레이터를 쓸 때만', max_length=200, verbose_name='실시간 주소')),
                ('tr_set', models.CharField(blank=True, choices=[('current', '현재'), ('legacy', '이전')], help_text='비워 두면 설정(KIS_TR_SET)을 따름', max_length=7, verbose_name='TR 번호 세대')),
                ('enabled', models.BooleanField(default=True, help_text='끄면 명령과 예약 작업이 이 계좌를 건너뜀', verbose_name='사용')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='등록')),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='변경')),
            ],
            options={
                'verbose_name': '연결한 계좌',
                'verbose_name_plural': '연결한 계좌',
                'db_table': 'kis_broker_account',
                'ordering': ['label'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('label'), name='kis_broker_account_label_once', violation_error_message='이 별칭을 쓰는 계좌가 이미 있습니다.'), models.UniqueConstraint(fields=('mode', 'account_fingerprint'), name='kis_broker_account_number_once'), models.CheckConstraint(condition=models.Q(('mode__in', ['real', 'paper'])), name='kis_broker_account_mode_known'), models.CheckConstraint(condition=models.Q(('tr_set__in', ['', 'current', 'legacy'])), name='kis_broker_account_tr_set_known'), models.CheckConstraint(condition=models.Q(models.Q(('label', ''), _negated=True), models.Q(('app_key_encrypted', ''), _negated=True), models.Q(('app_secret_encrypted', ''), _negated=True), models.Q(('account_encrypted', ''), _negated=True), models.Q(('account_fingerprint', ''), _negated=True)), name='kis_broker_account_whole')],
            },
        ),
    ]
