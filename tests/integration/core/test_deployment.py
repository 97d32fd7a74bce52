"""The compose file and the image hold together, and with them the settings are those of a host."""

import base64
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
OURS = ("migrate", "web", "worker", "beat")
# What an operator has to give; everything else has a default.
GIVEN = {
    "HUBCONNECT_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    "POSTGRES_PASSWORD": "of-postgres",
    "PUBLIC_URL": "https://sync.example.com",
    "REDIS_PASSWORD": "of-redis",
    "SECRET_KEY": secrets.token_urlsafe(64),
}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled(text: str, asked: set[str]) -> str:
    """Fill in variables as Compose does: ``${NAME:?text}`` must be given, ``:-`` has a default."""

    def value(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        if kind == "?":
            asked.add(name)
            return GIVEN[name]
        return GIVEN.get(name, default or "")

    return _VARIABLE.sub(value, text).replace("$$", "$")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    asked: set[str] = set()
    read = yaml.safe_load(filled((ROOT / "docker-compose.yml").read_text(), asked))
    assert asked == set(GIVEN)
    assert isinstance(read, dict)
    return read


def test_every_service_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {*OURS, "postgres", "redis"}
    for name, service in services.items():
        assert ("healthcheck" in service) == (name != "migrate"), name
    for name in ("worker", "beat"):
        file = services[name]["environment"]["HEARTBEAT_FILE"]
        assert file in services[name]["healthcheck"]["test"][-1]
        assert file.startswith(tuple(services[name]["tmpfs"]))
    assert "/healthz?part=database" in services["web"]["healthcheck"]["test"][-1]


def test_nothing_starts_before_the_database_is_up_to_date(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["command"] == ["python", "manage.py", "migrate", "--no-input"]
    assert services["migrate"]["restart"] == "no"
    for name in ("web", "worker", "beat"):
        waits = {other: how["condition"] for other, how in services[name]["depends_on"].items()}
        assert waits == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }


def test_ours_run_without_rights_and_the_worker_can_be_scaled(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in OURS:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in services[name]
    for name in ("worker", "beat", "postgres", "redis"):
        assert "ports" not in services[name]  # two workers could not have the same
        assert "container_name" not in services[name]
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_no_secret_stands_in_the_files() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()
    for line in text.splitlines():
        named = re.match(r"\s*\w*(?:SECRET|PASSWORD|KEYS)\w*:\s*(\S+)", line)
        assert named is None or named[1].startswith("${"), line


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    users = [line.split()[1] for line in last_stage if line.startswith("USER ")]
    assert users
    assert users[-1].isdigit()  # a number, which Kubernetes can tell from root
    assert int(users[-1]) >= 1000
    after = last_stage[[n for n, line in enumerate(last_stage) if line.startswith("USER ")][-1] :]
    assert not any(line.startswith(("RUN", "COPY", "ADD")) for line in after)


@pytest.mark.parametrize("name", OURS)
def test_the_deploy_check_is_clean_with_the_environment_of_the_file(
    compose: dict[str, Any], name: str
) -> None:
    given = compose["services"][name]["environment"]
    env = {key: "" if value is None else str(value) for key, value in given.items()}
    if name != "web" and given == compose["services"]["web"]["environment"]:
        return  # asked already
    argv = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(  # noqa: S603 - our own
        argv,
        env={"PATH": os.environ["PATH"], **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
