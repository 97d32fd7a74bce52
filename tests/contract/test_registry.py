from hubconnect.connectors.registry import connectors
from tests.contract.conftest import SUBJECTS


def test_every_registered_connector_runs_the_suite() -> None:
    assert {name.split()[0] for name in SUBJECTS} == set(connectors())
