"""The worker's schedules in the admin: the windows of our jobs are the owner's to change, and checked."""

from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.contrib import admin
from django_q.admin import ScheduleAdmin  # registers the tables of django-q2, whichever comes first
from django_q.models import Schedule

from aegis.schedules import SCHEDULES, read_window

if TYPE_CHECKING:
    ScheduleModelForm = forms.ModelForm[Schedule]
else:
    ScheduleModelForm = forms.ModelForm  # generic for the type checker only

JOBS = {job.name: job for job in SCHEDULES}


class ScheduleForm(ScheduleModelForm):
    """A schedule; one of ours takes only a window that its job can read."""

    class Meta:
        model = Schedule
        fields = "__all__"

    def clean_cluster(self) -> str | None:
        queue: str | None = self.cleaned_data["cluster"]
        if queue and queue not in settings.QUEUES:
            raise forms.ValidationError(f"다음 가운데 하나여야 합니다: {', '.join(settings.QUEUES)}")
        return queue

    def clean_kwargs(self) -> str | None:
        text: str | None = self.cleaned_data["kwargs"]
        job = JOBS.get(self.cleaned_data.get("name") or "")
        if job is not None:
            try:
                read_window(text, job)
            except ValueError as error:
                raise forms.ValidationError(str(error)) from None
        return text


admin.site.unregister(Schedule)


@admin.register(Schedule)
class TimetableAdmin(ScheduleAdmin):  # type: ignore[misc]  # django-q2 has no types
    form = ScheduleForm
