"""Let the groups that come with a grant look at alerts, as those of new grants do; which of them, the grants say."""

from django.db import migrations

GROUPS = ("AEGIS 보기", "AEGIS 주문", "AEGIS 관리")


def let_groups_look(apps, schema_editor):
    groups = list(apps.get_model("auth", "Group").objects.filter(name__in=GROUPS))
    if not groups:  # nobody has been granted anything: the permission comes with the tables, after all migrations
        return
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="alerts", model="alert"
    )
    look, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename="view_alert", defaults={"name": "Can view 알림"}
    )
    for group in groups:
        group.permissions.add(look)


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0002_withheld_deliveries"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(let_groups_look, migrations.RunPython.noop)]
