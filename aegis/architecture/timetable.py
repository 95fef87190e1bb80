"""The jobs of the timetable."""

from django.core.management import get_commands, load_command_class

from aegis.schedules import TIMETABLE
from reports.system.document import Job


def jobs() -> tuple[Job, ...]:
    return tuple(
        Job(job.name, job.label, job.task, help_of(job.name), job.window, every_day=job.every_day)
        for job in TIMETABLE
    )


def help_of(name: str) -> str:
    """Return what the command of a job, which has its name, says of itself."""
    return str(load_command_class(str(get_commands()[name]), name).help)
