from pathlib import Path

import pytest

from hubconnect.connectors.errors import AttentionError, ParameterInvalidError
from hubconnect.connectors.sql.connector import SQLConnector
from hubconnect.connectors.sql.urls import find_target, parse_url, split_password
from tests.unit.connectors.sql.conftest import context_of

REFUSED = [
    "not a url",
    "mongodb://host/db",
    "postgresql+asyncpg://u@host/db",
    "postgresql://u@/db",
    "postgresql:///db?host=/tmp",
    "postgresql://u@host/db?host=10.0.0.1",
    "postgresql://u@host/db?hostaddr=10.0.0.1",
    "postgresql://u@host/db?options=-csearch_path%3Dx",
    "postgresql://u@host/db?sslmode=maybe",
    "postgresql://u@host/db?sslmode=require&sslmode=disable",
    "postgresql://u@host/db?sslrootcert=/etc/passwd",
    "postgresql://u@host/db?service=mine",
    "postgresql://u@one,two/db",
    "postgresql://u@host/",
    "postgresql://u@host/a;b=c",
    "postgresql://u@host:port/db",
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///file:a.sqlite3",
    "sqlite:///file:a.sqlite3?mode=memory&uri=true",
    "sqlite:///a.sqlite3?uri=true",
    "sqlite://host/a.sqlite3",
    "sqlite+pysqlcipher:///a.sqlite3",
]


@pytest.mark.parametrize("text", REFUSED)
def test_urls_that_are_not_allowed_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ParameterInvalidError) as caught:
        parse_url(text)
    assert caught.value.parameter == "database_url"
    assert caught.value.message.endswith((".", "database."))


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("mysql://u@host/db", "PyMySQL"),
        ("mariadb+pymysql://u@host/db?charset=utf8mb4", "PyMySQL"),
        ("mssql+pyodbc://u@host/db", "pyodbc"),
        ("oracle://u@host/?service_name=orders", "oracledb"),
    ],
)
def test_a_driver_that_is_missing_is_named(text: str, package: str) -> None:
    with pytest.raises(ParameterInvalidError, match=f"pip install '{package}'"):
        parse_url(text)


def test_a_password_in_the_url_moves_to_its_own_parameter() -> None:
    cleaned = SQLConnector.clean_settings(
        {"database_url": "postgres://ann:p%40ss@db.example:5433/shop?sslmode=require"}
    )
    assert cleaned == {
        "database_url": "postgresql://ann@db.example:5433/shop?sslmode=require",
        "password": "p@ss",
    }


def test_a_hidden_password_is_none() -> None:
    assert split_password("postgresql://ann:***@db/shop") == ("postgresql://ann@db/shop", "")


def test_the_password_typed_beside_the_url_stays() -> None:
    values = {"database_url": "postgresql://ann@db/shop", "password": "secret"}
    assert SQLConnector.clean_settings(values) == values


def attention(text: str, folder: Path, **rules: tuple[str, ...]) -> AttentionError:
    with pytest.raises(AttentionError) as caught:
        find_target(text, "", context_of(folder, **rules))
    assert caught.value.parameter == "database_url"
    return caught.value


def test_sqlite_files_lie_below_the_allowed_folder(tmp_path: Path) -> None:
    folder = tmp_path / "synced"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "secret.sqlite3").touch()
    (folder / "deep" / "shop.sqlite3").touch()
    (folder / "link.sqlite3").symlink_to(tmp_path / "secret.sqlite3")

    for text in (
        "sqlite:///../secret.sqlite3",
        f"sqlite:///{tmp_path}/secret.sqlite3",
        "sqlite:///link.sqlite3",
    ):
        assert "SQLITE_DIR" in attention(text, folder).hint
    assert "no file" in attention("sqlite:///missing.sqlite3", folder).message
    assert "no file" in attention("sqlite:///deep", folder).message
    found = find_target("sqlite:///deep/shop.sqlite3", "", context_of(folder))
    absolute = find_target(f"sqlite:///{folder}/deep/shop.sqlite3", "", context_of(folder))
    assert found == absolute
    assert found.name == "deep/shop.sqlite3"


def test_sqlite_needs_a_folder_that_is_allowed(tmp_path: Path) -> None:
    context = context_of(tmp_path)
    empty = type(context)(limiter=context.limiter, addresses=context.addresses)
    with pytest.raises(AttentionError, match="not allowed in this installation"):
        find_target("sqlite:///a.sqlite3", "", empty)


def test_hubconnects_own_file_is_refused_under_any_name(tmp_path: Path) -> None:
    own = tmp_path / "own.sqlite3"
    own.touch()
    (tmp_path / "hard.sqlite3").hardlink_to(own)
    (tmp_path / "soft.sqlite3").symlink_to(own)
    for name in ("own", "hard", "soft"):
        for forbidden in (str(own), f"sqlite:///{own}"):
            error = attention(f"sqlite:///{name}.sqlite3", tmp_path, forbidden=(forbidden,))
            assert "own database" in error.message


@pytest.mark.parametrize(
    "forbidden", ["127.0.0.1:5432/own", "localhost:5432/own", "postgres://u:p@localhost/own"]
)
def test_hubconnects_own_server_is_refused_under_any_name(tmp_path: Path, forbidden: str) -> None:
    url = "postgresql://u@127.0.0.1:5432/own"
    error = attention(url, tmp_path, forbidden=(forbidden,), allowed=("127.0.0.0/8", "::1"))
    assert "own database" in error.message
    find_target("postgresql://u@127.0.0.1/other", "", context_of(tmp_path, forbidden=(forbidden,)))
    find_target("postgresql://u@127.0.0.1:99/own", "", context_of(tmp_path, forbidden=(forbidden,)))


def test_private_addresses_are_refused_naming_the_setting(tmp_path: Path) -> None:
    error = attention("postgresql://u@127.0.0.1/db", tmp_path, allowed=())
    assert "ALLOWED_PRIVATE_ADDRESSES" in error.hint


def test_postgresql_is_connected_to_at_the_checked_address(tmp_path: Path) -> None:
    found = find_target("postgresql://u@127.0.0.1/db", "secret", context_of(tmp_path))
    assert found.arguments == {"host": "127.0.0.1", "hostaddr": "127.0.0.1"}
    assert found.name == "127.0.0.1:5432/db"
    assert "secret" not in str(found.url)
