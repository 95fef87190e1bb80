"""Settings of the site; every variable is described in `.env.example`."""

import os
import sys
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from aegis.alerts.addresses import read_addresses
from aegis.alerts.kinds import read_off
from aegis.alerts.quiet import read_quiet
from aegis.env import (
    env_bool,
    env_choice,
    env_count,
    env_days,
    env_json,
    env_list,
    env_secret,
    env_str,
    env_url,
    load_env_file,
    own_folder,
    own_secret,
)
from ai.limits import read_limits

BASE_DIR = Path(__file__).resolve().parent.parent

TESTING = "pytest" in sys.modules
OURS = (
    *(
        "AEGIS_",
        "AI_",
        "BACKUP_",
        "KIS_",
        "KB_",
        "ORDER_",
        "REAL_TRADING_",
        "REPORT_",
        "GEMINI_",
        "SECRET_KEY",
    ),
    *("METRICS_", "NOTIFY_", "PING_", "LOG_"),
)
if TESTING:  # the owner's keys must never reach a test
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
else:
    load_env_file(Path(os.environ.get("AEGIS_ENV_FILE", BASE_DIR / ".env")))

# What the site makes for itself: databases, fonts, the secret key.
VAR_DIR = own_folder(Path(env_str("AEGIS_VAR_DIR") or BASE_DIR / "var").expanduser().resolve())

# Site ---------------------------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG", default=False)
SECRET_KEY = env_str("SECRET_KEY") or own_secret(VAR_DIR / "secret-key")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "127.0.0.1,localhost")
# Whoever opens the site to other machines does it behind a proxy that speaks TLS; on this machine alone there is none.
IS_LOCAL = all(host in {"127.0.0.1", "localhost", "[::1]"} for host in ALLOWED_HOSTS)
AEGIS_HTTPS = env_bool("AEGIS_HTTPS", default=not IS_LOCAL)
# How many of them stand in a row: from so many places before the end of X-Forwarded-For comes the address of a visitor.
AEGIS_PROXY_COUNT = env_count("AEGIS_PROXY_COUNT", 1, most=10, what="수")

INSTALLED_APPS = [
    "aegis.apps.AegisConfig",
    "aegis.alerts",
    "kis",
    "trading",
    "reports",
    "ai",
    "axes",
    "csp",
    "django_otp",
    "django_q",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "aegis.apps.AegisAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "aegis.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "aegis.headers.PrivateHeaders",
    "csp.middleware.CSPMiddleware",
    "aegis.refusals.Refusals",  # before anybody reads a body
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",  # a page is public only where it says so
    "aegis.second_factor.WholeSignIn",
    "aegis.known_days.KnownDays",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # the last: it answers in place of a sign-in that is shut
]
ROOT_URLCONF = "aegis.urls"
WSGI_APPLICATION = "aegis.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
STATIC_URL = "static/"
# Where `collectstatic` puts scripts and styles, compressed and under names that browsers may keep for good. Without such a
# folder a clone serves its files as they lie.
AEGIS_STATIC_DIR = env_str("AEGIS_STATIC_DIR")
STATIC_ROOT = Path(AEGIS_STATIC_DIR).expanduser().resolve() if AEGIS_STATIC_DIR else None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
# What browsers ask for by a fixed name beside files that are no pages: the icon of the site, and nothing else.
WHITENOISE_ROOT = BASE_DIR / "aegis" / "root"

# Language and time --------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "ko"
TIME_ZONE = "Asia/Seoul"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["aegis.formats"]

# Broker -------------------------------------------------------------------------------------------------------------
KIS_TR_SET = env_choice("KIS_TR_SET", ("current", "legacy"))


def kis_account(mode: str, base_url: str, ws_url: str) -> dict[str, str]:
    """Read the keys of one mode; an empty `app_key` means that this mode is not configured."""
    return {
        "app_key": env_str(f"KIS_{mode}_APP_KEY"),
        "app_secret": env_str(f"KIS_{mode}_APP_SECRET"),
        "account_no": env_str(f"KIS_{mode}_ACCOUNT_NO"),
        "base_url": env_str(f"KIS_{mode}_BASE_URL", base_url) or base_url,
        "ws_url": env_str(f"KIS_{mode}_WS_URL", ws_url) or ws_url,
        "hts_id": env_str(f"KIS_{mode}_HTS_ID"),
    }


KIS_ACCOUNTS = {
    "real": kis_account(
        "REAL", "https://openapi.koreainvestment.com:9443", "ws://ops.koreainvestment.com:21000"
    ),
    "paper": kis_account(
        "PAPER", "https://openapivts.koreainvestment.com:29443", "ws://ops.koreainvestment.com:31000"
    ),
}
# Commission the owner agreed on, in percent and by day where it changed; empty for the usual online rate.
KIS_COMMISSIONS = {"real": env_str("KIS_REAL_COMMISSION"), "paper": env_str("KIS_PAPER_COMMISSION")}
# Where the broker's public list of stocks is; empty for its own address, or that of the simulator where one plays the broker.
KIS_MASTER_URL = env_str("KIS_MASTER_URL")
# Without any key the site plays on the simulator that ships with it, in a database of its own.
AEGIS_DEMO = env_bool("AEGIS_DEMO", default=not any(account["app_key"] for account in KIS_ACCOUNTS.values()))
AEGIS_SIM_MARKET_DIR = env_str("AEGIS_SIM_MARKET_DIR")
DEMO_STATE_FILE = VAR_DIR / "demo-simulator.json"
# Encrypts broker tokens at rest; without one it is derived from SECRET_KEY.
AEGIS_ENCRYPTION_KEY = env_str("AEGIS_ENCRYPTION_KEY")

# Other brokers ------------------------------------------------------------------------------------------------------
# Where the owner puts what KB Securities exports; the files are read and left alone.
KB_IMPORT_DIR = env_str("KB_IMPORT_DIR")

# Database -----------------------------------------------------------------------------------------------------------
DEMO_DATABASE_URL = f"sqlite:///{VAR_DIR / 'demo.sqlite3'}"
DATABASE_URL = (
    DEMO_DATABASE_URL
    if AEGIS_DEMO and not TESTING
    else env_str("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'aegis.sqlite3'}"
)
try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
    if DATABASES["default"]["ENGINE"] not in {"django.db.backends.sqlite3", "django.db.backends.postgresql"}:
        raise ValueError("engine")  # noqa: TRY301  # one sentence for every address we cannot use
except (ValueError, dj_database_url.ParseError):
    raise ImproperlyConfigured(
        "DATABASE_URL을 쓸 수 없습니다. SQLite 또는 PostgreSQL 주소여야 합니다. 예: postgres://사용자:비밀번호@127.0.0.1:5432/aegis"
    ) from None
SQLITE_OPTIONS = {
    # Writers queue instead of failing; FULL keeps what was committed even through a power cut.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
# A server that has vanished without a word is noticed soon; what DATABASE_URL says itself goes before.
POSTGRES_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"]["OPTIONS"] = POSTGRES_OPTIONS | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# How long what repeats is kept (see kis.retention); fills, orders and daily figures stay for good.
KEEP_INTRADAY_DAYS = env_days("KEEP_INTRADAY_DAYS", 30)
KEEP_MINUTE_DAYS = env_days("KEEP_MINUTE_DAYS", 365)
KEEP_RUN_DAYS = env_days("KEEP_RUN_DAYS", 90)

# Orders -------------------------------------------------------------------------------------------------------------
# Real orders need this switch besides everything else.
REAL_TRADING_ENABLED = env_bool("REAL_TRADING_ENABLED", default=False)
# In won, of one order and of all orders of an account on one day.
ORDER_MAX_AMOUNT = env_count("ORDER_MAX_AMOUNT", 5_000_000, most=10**12, what="원 금액(숫자만)")
ORDER_DAY_MAX_AMOUNT = env_count("ORDER_DAY_MAX_AMOUNT", 20_000_000, most=10**12, what="원 금액(숫자만)")
# Real orders want limits that somebody has chosen (see aegis.checks).
ORDER_LIMITS_MISSING = [name for name in ("ORDER_MAX_AMOUNT", "ORDER_DAY_MAX_AMOUNT") if not env_str(name)]
ORDER_CODE_TTL_SECONDS = env_count("ORDER_CODE_TTL_SECONDS", 180, most=3600, what="초")
# How far a price may be from the last one.
ORDER_PRICE_COLLAR_PERCENT = env_count("ORDER_PRICE_COLLAR_PERCENT", 5, most=30, what="퍼센트")
# The trading password for inquiries from cron; orders ask for it at the terminal in any case.
AEGIS_TRADING_PASSWORD = env_str("AEGIS_TRADING_PASSWORD")
# Hint, journal and the file of the kill switch.
TRADING_DIR = Path(env_str("AEGIS_CACHE_DIR") or BASE_DIR / ".cache").expanduser().resolve()

# Advice -------------------------------------------------------------------------------------------------------------
# Who looks at a position for the pages (kis.advice): they may not know the room it comes from.
ADVISER = "ai.diagnosis.advise"
# Who writes about a fresh snapshot after a sync; empty for nobody.
DIAGNOSE = "ai.diagnosis.diagnose_snapshot"
# Where its rules begin to speak.
try:
    AI_LIMITS = read_limits(env_str("AI_LIMITS"))
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None
# Without a key the rules speak for themselves.
GEMINI_API_KEY = env_str("GEMINI_API_KEY")
# The maintained alias: models of a fixed version are shut down some day.
GEMINI_MODEL = env_str("GEMINI_MODEL") or "gemini-flash-latest"
# Empty for Google's own address; tests and simulators have another one.
GEMINI_BASE_URL = env_str("GEMINI_BASE_URL")
AI_PROVIDER = env_choice("AI_PROVIDER", ("google-generativeai", "google-genai"))
# How much of the account a model is told: shares and rates only, or won and quantities as well.
AI_PRIVACY = env_choice("AI_PRIVACY", ("percent", "full"))
# A diagnosis of an account at most every so many minutes, and so many tokens a day for all of them.
AI_INTERVAL_MINUTES = env_count("AI_INTERVAL_MINUTES", 25, most=1440, what="분")
AI_DAILY_TOKENS = env_count("AI_DAILY_TOKENS", 300_000, most=10**9, what="토큰 수")
# Nobody waits longer for a diagnosis, whoever asked for it; the PDF is made without one then.
AI_TIMEOUT_SECONDS = env_count("AI_TIMEOUT_SECONDS", 30, most=120, what="초")

# Reports ------------------------------------------------------------------------------------------------------------
REPORT_DIR = Path(env_str("AEGIS_REPORT_DIR") or BASE_DIR / "reports" / "Realtime").expanduser().resolve()
# Where they lie: a storage of Django by its dotted name with its options as JSON; empty for the folder above.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
    "reports": {
        "BACKEND": env_str("AEGIS_REPORT_STORAGE") or "reports.shelf.ReportFolder",
        "OPTIONS": env_json("AEGIS_REPORT_STORAGE_OPTIONS"),
    },
}
# Where finished reports are sent: a folder, or computer:folder by ssh; empty for nowhere.
REPORT_SYNC_DIR = env_str("REPORT_SYNC_DIR")
# How much these show at most, and the password they open with; empty for none. What stays here is not touched by either.
REPORT_PRIVACY = env_choice("REPORT_PRIVACY", ("full", "masked", "percent"))
REPORT_PDF_PASSWORD = env_str("REPORT_PDF_PASSWORD")
FONT_DIR = Path(env_str("AEGIS_FONT_DIR") or VAR_DIR / "fonts")
# What the job of every ten minutes may take to print one PDF, in a process of its own.
PRINT_MEMORY_MB = env_count("AEGIS_PRINT_MEMORY_MB", 1536, most=65_536, what="MB")
PRINT_SECONDS = env_count("AEGIS_PRINT_SECONDS", 120, most=600, what="초")

# Alerts -------------------------------------------------------------------------------------------------------------
# Where they are sent (apprise); the addresses hold tokens and are neither shown nor stored.
try:
    NOTIFY_URLS = read_addresses(env_str("NOTIFY_URLS"))
    # Hours in which only urgent ones are sent, and kinds that are not sent at all.
    NOTIFY_QUIET = read_quiet(env_str("NOTIFY_QUIET"))
    NOTIFY_OFF = read_off(env_str("NOTIFY_OFF"))
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None
# Who sends them at once where an order is unknown (trading.telling): orders may not know the room it comes from.
TELLER = "aegis.tasks.send_alerts"
# How much they show: they pass through the hands of others.
NOTIFY_PRIVACY = env_choice("NOTIFY_PRIVACY", ("full", "masked", "percent"))
# When books are told to be old, and after how many failures in a row a job is.
NOTIFY_STALE_MINUTES = env_count("NOTIFY_STALE_MINUTES", 15, most=1440, what="분")
NOTIFY_JOB_FAILURES = env_count("NOTIFY_JOB_FAILURES", 3, most=100, what="횟수")

# Backups ------------------------------------------------------------------------------------------------------------
# Where the backup of each day goes; empty for none.
BACKUP_DIR = env_str("BACKUP_DIR")
BACKUP_KEEP = env_count("BACKUP_KEEP", 14, most=3650, what="개수")
# What it is closed with: a public key of age, which cannot open it again, or a passphrase.
BACKUP_RECIPIENT = env_str("BACKUP_RECIPIENT")
BACKUP_PASSPHRASE = env_str("BACKUP_PASSPHRASE")

# Sign-in ------------------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of users made before; renewed when they sign in
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # the first: nothing is compared for whom it stops
    "django.contrib.auth.backends.ModelBackend",
]
# How often somebody may try, and how long he then rests, is in aegis.signin.
AXES_HANDLER = "aegis.signin.CountFirst"
AXES_CLIENT_IP_CALLABLE = "aegis.signin.client_address"
AXES_LOCKOUT_CALLABLE = "aegis.signin.locked_out"
AXES_FAILURE_LIMIT = 5
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
# From sign-in on, however busy the session is: a page that refreshes itself must not keep it open for ever.
SESSION_COOKIE_AGE = env_count("AEGIS_SESSION_HOURS", 12, most=24 * 30, what="시간") * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = AEGIS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "kis.api.errors.csrf_failure"

# What browsers are told -----------------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = AEGIS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz(/\w+)?$", r"^metrics$"]  # asked from this machine, past the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if AEGIS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = AEGIS_HTTPS
if AEGIS_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Anybody could have a domain that allows it put on the lists of all browsers; that is its owner's own decision.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
# No script and no style but the files that come with the site; pictures may also be written into a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# What may be sent -----------------------------------------------------------------------------------------------------
# A form without its files; the largest is a list of the admin with all its rows ticked.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 3
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Anything at all: a file of KB Securities (kis.statements.lines) and the form around it.
MOST_BYTES_SENT = 11 * 1024 * 1024

# API ----------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["kis.api.access.Token", "kis.api.access.Session"],
    "DEFAULT_PERMISSION_CLASSES": ["kis.api.access.MayView"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "kis.api.negotiation.Negotiation",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min", "orders": "30/min"},
    "EXCEPTION_HANDLER": "kis.api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "kis.api.schema.Schema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AEGIS API",
    "DESCRIPTION": "한국투자증권 계좌의 장부를 읽고 주문합니다. 금액은 정수(원), 소수는 문자열, 시각은 서울 시각(+09:00)입니다.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["kis.api.access.MayView"],
    "ENFORCE_NON_BLANK_FIELDS": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["kis.api.schema.without_our_notes"],  # and choices stay where they are
    "SWAGGER_UI_DIST": "SIDECAR",  # files of ours, nobody else's
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "filter": True},
}

# API tokens: kept as a hash, and always with an end.
KNOX_TOKEN_MODEL = "kis.ApiToken"  # noqa: S105  # the name of a table
MIGRATION_MODULES = {"knox": None}  # its own table, which ours stands in for
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "aegis_",  # what a token looks like wherever it does not belong (aegis.logs)
}

# Watching -----------------------------------------------------------------------------------------------------------
# Whoever reads the figures of /metrics without signing in shows this; empty for nobody.
METRICS_TOKEN = env_secret("METRICS_TOKEN")
# Who is told from outside that a slot of a job has been done, as healthchecks.io takes it; `{job}` stands for its name.
PING_URL = env_url("PING_URL")

# Worker -------------------------------------------------------------------------------------------------------------
# A cluster of django-q2 for each queue, so that the jobs of every minute wait for no long one; `aegis.schedules` says
# which job goes where. Which of them this machine serves; whoever starts `qcluster` by hand may name one himself.
QUEUES = ("fast", "reports")
AEGIS_CLUSTER = env_choice("AEGIS_CLUSTER", ("all", *QUEUES))
if AEGIS_CLUSTER != "all":
    os.environ.setdefault("Q_CLUSTER_NAME", AEGIS_CLUSTER)
Q_CLUSTER = {
    "name": "fast",  # takes the schedules without a queue, too: those of the owner
    "orm": "default",
    "workers": env_count("AEGIS_WORKERS", 2, most=32, what="수"),
    "timeout": 240,
    "retry": 420,  # above timeout: a task still running is never handed out again
    "max_attempts": 1,  # the next tick is our retry
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 0,  # what is kept is pruned by age (aegis.task_history): by number, a busy job drives out the others
    "queue_limit": 1,  # what a machine has taken and not begun is lost to the others for a while if it dies
    "recycle": 500,  # tasks, or kilobytes, after which a worker makes room for a fresh one
    "max_rss": 600_000,
    "ALT_CLUSTERS": {"reports": {"timeout": 600, "retry": 900, "recycle": 50}},
}

# Logs ---------------------------------------------------------------------------------------------------------------
# For people, or one JSON object a line. Ours from this level on; other people's libraries only where they warn.
LOG_FORMAT = env_choice("LOG_FORMAT", ("text", "json"))
LOG_LEVEL = env_choice("LOG_LEVEL", ("WARNING", "INFO", "DEBUG", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"mask": {"()": "aegis.logs.MaskSecrets"}},
    "formatters": {
        "text": {
            "()": "aegis.logs.Lines",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "aegis.logs.JsonLines", "json_ensure_ascii": False},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "filters": ["mask"], "formatter": LOG_FORMAT},
        "nobody": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": "ERROR" if LOG_LEVEL == "ERROR" else "WARNING"},
    "loggers": {
        **{name: {"level": LOG_LEVEL} for name in ("aegis", "kis", "trading", "reports", "ai", "django-q")},
        # What was asked and answered, whatever the level: of the server for development and of gunicorn.
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "gunicorn": {"level": "INFO"},
        # Its sentences may hold an address with its token; what matters of them is told by aegis.alerts.transport.
        "apprise": {"handlers": ["nobody"], "level": "WARNING", "propagate": False},
    },
}
