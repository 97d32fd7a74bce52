"""A program of its own that uses a system's sign-in: its arguments are the key, and ``crash``.

With ``crash`` it dies between HubSpot's answer to the renewal and storing what came.
"""

import os
import sys
from typing import NoReturn

import django

from hubconnect.connectors.parameters import Secret


def main(pk: int, *, crashes: bool) -> None:
    """Ask HubSpot something with the sign-in."""
    from hubconnect.systems.models import System  # noqa: PLC0415 - needs the applications
    from hubconnect.systems.services import signing_in  # noqa: PLC0415
    from hubconnect.systems.services.connections import open_connector  # noqa: PLC0415
    from hubconnect.systems.services.token_stores import StoredTokens  # noqa: PLC0415

    system = System.objects.get(pk=pk)
    if not crashes:
        with open_connector(system, is_fresh=True) as connector:
            sys.stdout.write(connector.identity())
        return
    app = signing_in.app_of(system)

    def renew_and_die(refresh: Secret) -> NoReturn:
        app.renew(refresh)
        os._exit(9)

    StoredTokens(pk).access_token(renew_and_die)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]), crashes="crash" in sys.argv)
