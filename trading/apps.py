"""Orders of the owner: from a sentence to the broker, at most once."""

from django.apps import AppConfig
from django.db.models.signals import post_save, pre_save


class TradingConfig(AppConfig):
    name = "trading"
    verbose_name = "주문"

    def ready(self) -> None:
        from django_q.signals import post_execute_in_worker, pre_execute  # noqa: PLC0415  # needs its models

        from trading import worker_guard  # noqa: PLC0415  # same

        pre_execute.connect(worker_guard.enter_task, dispatch_uid="trading.task")
        post_execute_in_worker.connect(worker_guard.leave_task, dispatch_uid="trading.task-over")
        # What a task has for a hook is called while its result is stored, in another process of the cluster.
        pre_save.connect(worker_guard.enter_task, sender="django_q.Task", dispatch_uid="trading.hook")
        post_save.connect(worker_guard.leave_task, sender="django_q.Task", dispatch_uid="trading.hook-over")
