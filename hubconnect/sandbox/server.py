"""Starting the sandbox: the account is opened or made, then served."""

import signal
from collections.abc import Callable
from types import FrameType

import waitress  # type: ignore[import-untyped]  # has no types

from hubconnect.sandbox import custom_objects
from hubconnect.sandbox.account import Account
from hubconnect.sandbox.app import Application
from hubconnect.sandbox.auth import Token, save_token
from hubconnect.sandbox.catalog.kinds import ALL_SCOPES
from hubconnect.sandbox.oauth_apps import save_app
from hubconnect.sandbox.options import Options
from hubconnect.sandbox.seed import seed_account

_EXTRA_APP_OFFSET = 1
_FORM_OVERHEAD = 16 * 1024**2


def create_app(options: Options) -> Application:
    """Open the account of a database file, seeding a new one, and build its application."""
    account = Account(options)
    with account.store.writing() as db:
        seed_account(db, account)
        custom_objects.register(db)
        scopes = options.scopes or ALL_SCOPES
        save_token(db, Token(options.token, options.app_id, options.user_id, scopes))
        for number, (text, granted) in enumerate(options.extra_tokens.items()):
            app_id = options.app_id + _EXTRA_APP_OFFSET + number
            save_token(db, Token(text, app_id, options.user_id, granted))
        for app in options.oauth_apps:
            save_app(db, app)
    account.forget_schemas()
    return Application(account)


def serve(options: Options, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: what to serve, and where.
        announce: receives one line with the address once it listens.
    """
    server = waitress.create_server(
        create_app(options),
        host=options.host,
        port=options.port,
        threads=options.threads,
        ident="",
        max_request_body_size=options.file_limit + _FORM_OVERHEAD,
        clear_untrusted_proxy_headers=True,
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    announce(
        f"sandbox: http://{options.host}:{server.effective_port} account {options.portal_id}"
        f" database {options.database}"
    )
    # waitress ends its loop on KeyboardInterrupt and waits for calls under way.
    server.run()
    server.close()
