"""What differs per database: its driver, the URL parameters it may be given, its clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

YES_NO = r"yes|no"
SECONDS = r"[1-9]\d{0,2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of database.

    Attributes:
        name: what stands before ``://`` in a URL, without the driver.
        driver: the one driver HubConnect uses, by SQLAlchemy's name.
        module: what the driver is imported as.
        package: what a person installs to get it.
        port: where it listens unless the URL says otherwise; 0: a file, no host.
        query: allowed URL parameters, each with the pattern of its values. Anything that names
            a file, another host or options of the server's start stays out.
        clock: statement that gives the database's time with fractions of a second, in UTC.
    """

    name: str
    label: str
    driver: str
    module: str
    package: str
    port: int
    query: Mapping[str, str] = field(default_factory=dict)
    clock: str

    @property
    def is_file(self) -> bool:
        """Tell whether the database is a file on this machine."""
        return self.port == 0


MYSQL_QUERY = {"charset": r"\w+", "connect_timeout": SECONDS}

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            name="postgresql",
            label="PostgreSQL",
            driver="psycopg",
            module="psycopg",
            package="psycopg[binary]",
            port=5432,
            query={
                "sslmode": r"disable|allow|prefer|require|verify-ca|verify-full",
                "sslrootcert": r"system",
                "connect_timeout": SECONDS,
                "application_name": r"[\w .-]{1,63}",
                "client_encoding": r"utf-?8",
            },
            clock="SELECT clock_timestamp()",
        ),
        Dialect(
            name="sqlite",
            label="SQLite",
            driver="pysqlite",
            module="sqlite3",
            package="Python's sqlite3 module",
            port=0,
            clock="SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
        ),
        Dialect(
            name="mysql",
            label="MySQL",
            driver="pymysql",
            module="pymysql",
            package="PyMySQL",
            port=3306,
            query=MYSQL_QUERY,
            clock="SELECT UTC_TIMESTAMP(6)",
        ),
        Dialect(
            name="mariadb",
            label="MariaDB",
            driver="pymysql",
            module="pymysql",
            package="PyMySQL",
            port=3306,
            query=MYSQL_QUERY,
            clock="SELECT UTC_TIMESTAMP(6)",
        ),
        Dialect(
            name="mssql",
            label="SQL Server",
            driver="pyodbc",
            module="pyodbc",
            package="pyodbc",
            port=1433,
            query={
                # The driver's name may be a path to a library, so only the known ones pass.
                "driver": r"ODBC Driver \d{2} for SQL Server|FreeTDS",
                "Encrypt": r"yes|no|strict",
                "TrustServerCertificate": YES_NO,
            },
            clock="SELECT SYSUTCDATETIME()",
        ),
        Dialect(
            name="oracle",
            label="Oracle",
            driver="oracledb",
            module="oracledb",
            package="oracledb",
            port=1521,
            query={"service_name": r"[\w.$#-]+"},
            clock="SELECT SYS_EXTRACT_UTC(SYSTIMESTAMP) FROM DUAL",
        ),
    )
}
# Spellings people paste.
ALIASES = {"postgres": "postgresql", "pgsql": "postgresql"}
