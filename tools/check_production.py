"""Hold the project against a production host's settings: Django's deploy check, and migrations."""

import base64
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    ("check", "--deploy", "--fail-level", "WARNING"),
    ("makemigrations", "--check", "--dry-run"),
)


def main() -> int:
    """Run both as if on the host; the status is that of the first that fails."""
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(64),
        "HUBCONNECT_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "PUBLIC_URL": "https://sync.example.com",
        "DATABASE_URL": "sqlite:///:memory:",
    }
    for command in CHECKS:
        argv = [sys.executable, str(ROOT / "manage.py"), *command]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout, done.stderr, sep="\n")
            return done.returncode
    print("Production settings and migrations are as they should be.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
