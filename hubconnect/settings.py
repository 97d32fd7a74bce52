"""Settings of HubConnect, read from the environment: nothing else looks there.

Each has the name of its variable. A file ``.env`` beside manage.py is read too, when there is one;
what the environment says wins. ``manage.py check`` says in words what is missing or does not fit.
"""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
import structlog
from csp.constants import NONE, SELF

from hubconnect.core.redaction import redact

BASE_DIR = Path(__file__).resolve().parent.parent

django_stubs_ext.monkeypatch()  # ModelForm[User] at run time

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

# --- This installation -------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = env.bool("DEBUG", default=False)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
# Besides those of the environment: this machine's own health checks come by these names.
ALLOWED_HOSTS = [
    *(env.list("ALLOWED_HOSTS", default=[]) or [urlsplit(PUBLIC_URL).hostname or "localhost"]),
    *("localhost", "127.0.0.1"),
]

# Fernet keys that seal secrets at rest. The first seals, all open: to rotate, put one in front.
HUBCONNECT_KEYS = env.list("HUBCONNECT_KEYS", default=[])

# --- Syncing -----------------------------------------------------------------------------------

# Synced SQLite databases must lie below this folder.
SQLITE_DIR = Path(env.str("SQLITE_DIR", default=str(BASE_DIR / "synced")))
# Networks (10.1.0.0/16, ::1) that outbound connections may reach besides public addresses.
ALLOWED_PRIVATE_ADDRESSES = env.list("ALLOWED_PRIVATE_ADDRESSES", default=[])
REQUEST_TIMEOUT_S = env.int("REQUEST_TIMEOUT_S", default=30)
# A run's lease. A worker that dies keeps others away for this long.
LEASE_S = env.int("LEASE_S", default=100)
# Comments, files and links of linked records that moved no date are looked for this often.
SWEEP_EVERY_S = env.int("SWEEP_EVERY_S", default=3600)
TICK_S = env.int("TICK_S", default=5)
# Each flow reads its last hours and days once more, for what became visible late: every hour and
# every night so far back (0: never). The night begins at this time of the integration's zone.
HOURLY_SPAN_S = env.int("HOURLY_SPAN_S", default=2 * 3600)
NIGHTLY_SPAN_S = env.int("NIGHTLY_SPAN_S", default=48 * 3600)
NIGHTLY_AT = env.str("NIGHTLY_AT", default="02:30")
# A first load is cut into at most so many slices, none of fewer records than the second number;
# workers do them side by side. A slice gives its worker back after so many seconds.
LOAD_SLICES = env.int("LOAD_SLICES", default=8)
LOAD_SLICE_LEAST = env.int("LOAD_SLICE_LEAST", default=2000)
LOAD_TURN_S = env.int("LOAD_TURN_S", default=60)
# How far a window reaches back behind the last one, for what became visible late.
# By connector; without an entry its own measure holds.
OVERLAPS_S = {
    "hubspot": env.int("HUBSPOT_OVERLAP_S", default=120),
    "sql": env.int("SQL_OVERLAP_S", default=300),
}
# How long object types and fields of a system are kept before they are read anew.
# A comparison of both sides gives its worker back after this, so that runs have their turns.
RECONCILE_TURN_S = env.float("RECONCILE_TURN_S", default=10)
SCHEMA_KEEP_S = env.int("SCHEMA_KEEP_S", default=3600)
RUN_PAGE_SIZE = env.int("RUN_PAGE_SIZE", default=100)

# --- What is kept, in days; 0 keeps it for good -------------------------------------------------

# Links, open failures and all else that a promise rests on never go by age.
KEEP_EVENTS_DAYS = env.int("KEEP_EVENTS_DAYS", default=90)
KEEP_RUNS_DAYS = env.int("KEEP_RUNS_DAYS", default=365)
KEEP_IDLE_RUNS_DAYS = env.int("KEEP_IDLE_RUNS_DAYS", default=2)  # runs that found nothing to do
KEEP_FAILURES_DAYS = env.int("KEEP_FAILURES_DAYS", default=180)  # healed and dismissed ones
KEEP_FIGURES_DAYS = env.int("KEEP_FIGURES_DAYS", default=800)
KEEP_AUDIT_DAYS = env.int("KEEP_AUDIT_DAYS", default=730)
KEEP_COMPARISONS_DAYS = env.int("KEEP_COMPARISONS_DAYS", default=90)
KEEP_NOTICES_DAYS = env.int("KEEP_NOTICES_DAYS", default=90)

# --- Applications ------------------------------------------------------------------------------

INSTALLED_APPS = [
    "hubconnect.core",
    "hubconnect.systems",
    "hubconnect.mappings",
    "hubconnect.integrations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "auditlog",
    "csp",
    "django_filters",
    "django_htmx",
    "template_partials",
]

MIDDLEWARE = [
    "hubconnect.core.middleware.ClientAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "hubconnect.core.middleware.RequestLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hubconnect.core.middleware.TimeZoneMiddleware",
    "auditlog.middleware.AuditlogMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "hubconnect.urls"
WSGI_APPLICATION = "hubconnect.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["hubconnect.core.templatetags.ui"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hubconnect.core.context_processors.shell",
            ],
        },
    }
]

# A dotted path to a callable without arguments: the number that stands beside Failures.
OPEN_FAILURES_COUNTER = "hubconnect.integrations.services.failures.count_open"

# --- Data --------------------------------------------------------------------------------------


def with_options(database: dict[str, Any]) -> dict[str, Any]:
    """Complete a parsed DATABASE_URL with what its database needs to be safe under concurrency."""
    if database["ENGINE"].endswith("sqlite3"):
        # IMMEDIATE: a transaction that will write waits for its turn at the start, where waiting
        # works, instead of failing in the middle. FULL: what was committed survives a power cut.
        database["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    else:
        database["CONN_MAX_AGE"] = 60
        database["CONN_HEALTH_CHECKS"] = True
        # A worker that is stopped within a transaction would hold others up by its locks; when its
        # lease is over, so is the transaction.
        idle = f"-c idle_in_transaction_session_timeout={LEASE_S}s"
        database.setdefault("OPTIONS", {}).setdefault("options", idle)
        # A host that is gone is not waited for as long as TCP would.
        database["OPTIONS"].setdefault("connect_timeout", 10)
    return database


DATABASES = {
    "default": with_options(
        env.db_url_config(
            env.str("DATABASE_URL", default="") or f"sqlite:///{BASE_DIR / 'hubconnect.sqlite3'}"
        )
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or "redis://127.0.0.1:6379/0"
REDIS_KEY_PREFIX = env.str("REDIS_KEY_PREFIX", default="")  # for a Redis that others use too
# Worker and beat touch this file as long as they live; for the health check of a container.
HEARTBEAT_FILE = env.str("HEARTBEAT_FILE", default="")

# --- Background work ---------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A message whose worker died comes back after this time. Tasks may run twice: leases decide.
    "visibility_timeout": env.int("VISIBILITY_TIMEOUT_S", default=120),
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "unacked_mutex_expire": 30,
    "global_keyprefix": REDIS_KEY_PREFIX,
}
CELERY_TIMEZONE = "UTC"

# --- People ------------------------------------------------------------------------------------

AUTH_USER_MODEL = "core.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "core:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "core:login"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")  # of readers who have not chosen one

# --- Mail --------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587 (or smtp:, smtp+ssl:); empty: no e-mail is sent.
_mail = env.str("EMAIL_URL", default="")
if _mail:
    vars().update(env.email_url_config(_mail))
else:
    EMAIL_HOST = ""
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="hubconnect@localhost")

# --- Safety of the pages -----------------------------------------------------------------------

_https = PUBLIC_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=_https)
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if _https else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=_https)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=_https)
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)  # that sets these headers itself
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "hubconnect.core.views.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Static files ------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Logs --------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
_log_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_for_people = DEBUG or sys.stderr.isatty()
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_log_processors,
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _log_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Plain tracebacks: one that shows the values of variables would show secrets.
                structlog.processors.format_exc_info,
                redact,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
                if _for_people
                else structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "celery": {"level": LOG_LEVEL, "propagate": True},
    },
}
