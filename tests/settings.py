"""Settings of the tests: throw-away keys, fast password hashes, the servers of the test session."""

import os
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("HUBCONNECT_KEYS", "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=")
os.environ.setdefault("ALLOWED_PRIVATE_ADDRESSES", "127.0.0.0/8,::1")
os.environ.setdefault("LOG_LEVEL", "WARNING")
# Each worker of pytest-xdist, gw0 and so on, has a database of its own in the one broker: else they
# take each other's messages, and forget each other's limits.
if "PYTEST_XDIST_WORKER" in os.environ:
    _number = os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=_number).geturl()

from hubconnect.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise")]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in production: a shared in-memory database locks tables and ignores the time-out.
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
    )
    if "RUN_DIR" in os.environ:
        DATABASES["default"]["TEST"] = {"NAME": str(Path(os.environ["RUN_DIR"], "test.sqlite3"))}
