"""Whether there is a backup, and how old it is."""

from django.conf import settings

from aegis.backup.last import LATE, last_backup
from aegis.health.case import Case, Result, fine, problem, skipped, warning
from aegis.health.jobs import ago


def backups(case: Case) -> Result:
    """Look at the newest backup of the folder; whether it can be restored was seen when it was made."""
    newest = last_backup()
    if case.demo:
        return skipped("데모에서는 백업하지 않아도 됩니다.")
    if not settings.BACKUP_DIR:
        last = f"마지막 백업 {ago(case.now() - newest.at)} 전. " if newest else ""
        return warning(
            f"{last}날마다 백업하지 않습니다.", "BACKUP_DIR를 정해 주세요. 방법은 docs/backup.md에 있습니다."
        )
    if newest is None:
        return problem("아직 백업이 없습니다.", "한 번 실행해 주세요: manage.py aegis_daily_backup")
    age = f"마지막 백업은 {ago(case.now() - newest.at)} 전({newest.at:%m-%d %H:%M})입니다."
    if case.now() - newest.at > LATE:
        return problem(age, "예약과 작업자를 확인해 주세요: manage.py aegis_daily_backup")
    return fine(age)
