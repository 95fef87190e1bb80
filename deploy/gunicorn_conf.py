"""Settings of gunicorn: `gunicorn -c deploy/gunicorn_conf.py aegis.wsgi`. The environment may say address and size."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis.settings")

#: Only for the proxy on this machine; in a container it listens to its network.
bind = os.environ.get("AEGIS_BIND", "127.0.0.1:8000")
#: Two processes, so that one may be replaced; threads, because most of a request is waiting for database and broker.
workers = int(os.environ.get("AEGIS_WEB_WORKERS", "2"))
threads = int(os.environ.get("AEGIS_WEB_THREADS", "4"))
worker_class = "gthread"
#: Longer than the largest PDF, a synchronisation by hand and an order that waits for its turn take together.
timeout = 150
graceful_timeout = 60
#: The proxy closes idle connections first.
keepalive = 75
#: A worker makes room for a fresh one now and then, not all at once.
max_requests = 2000
max_requests_jitter = 400
#: Heartbeats are files; a slow disk must not look like a dead worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112  # gunicorn writes safe names there
umask = 0o077
#: Nobody steers it but systemd.
control_socket_disable = True
limit_request_line = 4094
limit_request_fields = 60
#: Whose word on TLS counts: the proxy's, which is on this machine or the only one that reaches a container.
forwarded_allow_ips = os.environ.get("AEGIS_PROXY_ADDRESSES", "127.0.0.1,::1")
proc_name = "aegis-web"
#: Every line goes through the filter of the site.
logger_class = "aegis.serving.Log"


def on_starting(server: object) -> None:  # noqa: ARG001  # as gunicorn calls it
    """Do not begin with settings that cannot be read, or with static files that have not been collected."""
    import django  # noqa: PLC0415  # after the environment
    from django.core.checks import ERROR, run_checks  # noqa: PLC0415
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    try:
        django.setup()
    except ImproperlyConfigured as error:
        raise SystemExit(f"설정을 읽을 수 없습니다: {error}") from None
    from aegis.checks import NOT_COLLECTED  # noqa: PLC0415  # needs the models

    errors = [found for found in run_checks() if found.level >= ERROR or found.id == NOT_COLLECTED]
    if errors:
        raise SystemExit("\n".join(f"{found.msg} {found.hint or ''}".strip() for found in errors))
