"""Diagnoses in the API: what rules and model said, snapshot by snapshot."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from ai.changes import since_the_day_before
from ai.models import Diagnosis
from kis.api import parameters
from kis.api.serializers import OWNER, OwnedSerializer, columns
from kis.api.views import WHOSE, TableView


class DiagnosisSerializer(OwnedSerializer):
    """A diagnosis; what was sent and received, and what is new since the day before, only where it is asked for alone."""

    LONG = ("request_json", "raw_json", "changes")

    reason_text = serializers.CharField(allow_blank=True)
    notes = serializers.SerializerMethodField()
    changes = serializers.SerializerMethodField()

    class Meta:
        model = Diagnosis
        fields = [
            *columns(Diagnosis, first=OWNER, without=("wait_until",)),
            "reason_text",
            "notes",
            "changes",
        ]

    def get_notes(self, row: Diagnosis) -> list[dict[str, Any]]:
        return [note.as_dict() for note in row.notes.all()]

    def get_changes(self, row: Diagnosis) -> dict[str, Any] | None:
        changes = None if row.focus else since_the_day_before(row)
        return changes.as_data() if changes else None


class DiagnosisView(TableView):
    """What rules and model said about the snapshots."""

    model = Diagnosis
    serializer_class = DiagnosisSerializer
    parameters = {
        **WHOSE,
        **parameters.moments("written_at"),
        **parameters.model_columns(Diagnosis, "status"),
    }
    orders = {"written_at": ("written_at", "id")}
    default_order = "-written_at"

    def rows(self) -> QuerySet[Any]:
        return super().rows().defer("request_json").prefetch_related("notes")
