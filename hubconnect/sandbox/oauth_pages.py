"""The page on which a HubSpot user lets an app into the account, or refuses it."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from hubconnect.sandbox import pages_html as html
from hubconnect.sandbox.account import Account
from hubconnect.sandbox.catalog.kinds import ALL_SCOPES
from hubconnect.sandbox.oauth_apps import (
    BASE_SCOPE,
    CODE_LIFE_MS,
    App,
    Code,
    find_app,
    granted,
    issue_code,
    new_code,
)

ADDRESS = re.compile(r"/oauth/(?:(?P<portal>\d+)/)?authorize/?")
# Known beside those of the object types ("Scopes").
OTHER_SCOPES = frozenset({"files", "files.ui_hidden.read", "sales-email-read", "timeline"})


class CannotConnectError(Exception):
    """The install URL is wrong. HubSpot says so on its own page and leads nowhere."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What an install URL asks for."""

    app: App
    redirect_uri: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    state: str | None

    def back(self, **parameters: str) -> Response:
        """Lead back to the app."""
        if self.state is not None:
            parameters["state"] = self.state
        joint = "&" if "?" in self.redirect_uri else "?"
        return redirect(f"{self.redirect_uri}{joint}{urlencode(parameters)}")


def authorize(account: Account, request: Request) -> Response:
    """Ask the person, or carry the answer back."""
    try:
        wish = _read(account, request)
    except CannotConnectError as error:
        text = Markup('<div class="head"><h1>This app cannot be connected</h1></div>{}')
        content = text.format(html.note(str(error), "bad"))
        return _page(account, "Cannot be connected", content, 400)
    if request.method != "POST":
        return _page(account, f"Connect {wish.app.name}", _consent(account, wish))
    origin = request.headers.get("Origin")
    if origin not in {None, "null", f"{request.scheme}://{request.host}"}:
        return Response("Refused: foreign origin.", 403)
    if request.form.get("answer") != "allow":
        return wish.back(error="access_denied", error_description="The user denied access.")
    code = Code(
        code=new_code(),
        client_id=wish.app.client_id,
        redirect_uri=wish.redirect_uri,
        user_id=account.options.user_id,
        scopes=granted(wish.required, wish.optional, account.oauth.lacking),
        expires_at=account.clock.now() + CODE_LIFE_MS,
        is_used=False,
    )
    with account.store.writing() as db:
        issue_code(db, code)
    return wish.back(code=code.code)


def _read(account: Account, request: Request) -> Wish:
    """Read an install URL.

    Raises:
        CannotConnectError: it is not one that HubSpot would follow.
    """
    address, given = ADDRESS.fullmatch(request.path), request.args
    if address and address["portal"] and int(address["portal"]) != account.options.portal_id:
        msg = f"You have no access to account {address['portal']}."
        raise CannotConnectError(msg)
    with account.store.reading() as db:
        app = find_app(db, given.get("client_id", ""))
    if app is None:
        msg = "The client ID of this install URL belongs to no app."
        raise CannotConnectError(msg)
    redirect_uri = given.get("redirect_uri", "")
    if redirect_uri not in app.redirect_uris:
        msg = f"The redirect URL {redirect_uri or '(none)'} is not one of the app's."
        raise CannotConnectError(msg)
    required = tuple(given.get("scope", "").split())
    optional = tuple(given.get("optional_scope", "").split())
    _check_scopes(account, app, required, optional)
    return Wish(app, redirect_uri, required, optional, given.get("state"))


def _check_scopes(
    account: Account, app: App, required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    if not required:
        msg = "The install URL names no scope."
        raise CannotConnectError(msg)
    known = {*ALL_SCOPES, *OTHER_SCOPES, *app.scopes, *app.optional_scopes}
    unknown = [scope for scope in (*required, *optional) if scope not in known]
    if unknown:
        msg = f"There is no scope {', '.join(unknown)}."
        raise CannotConnectError(msg)
    if app.scopes or app.optional_scopes:
        missing = set(app.scopes) - set(required) - {BASE_SCOPE}
        beyond = {*required, *optional} - {*app.scopes, *app.optional_scopes, BASE_SCOPE}
        if missing or beyond:
            names = ", ".join(sorted(missing | beyond))
            msg = f"The scopes of the install URL do not match those of the app: {names}."
            raise CannotConnectError(msg)
    lacking = [scope for scope in required if scope in account.oauth.lacking]
    if lacking:
        msg = f"This account's subscription does not include {', '.join(lacking)}."
        raise CannotConnectError(msg)


def _consent(account: Account, wish: Wish) -> Markup:
    scopes = granted(wish.required, wish.optional, account.oauth.lacking)
    return Markup(
        '<div class="head"><h1>Connect {} to account {}</h1></div>'
        '<section class="card"><p>{} asks for access to this account as {}:</p>{}'
        '<p class="quiet">You will be sent back to {}</p>'
        '<form method="post" class="actions"><button name="answer" value="allow">Connect app'
        '</button><button class="plain" name="answer" value="deny">Cancel</button></form></section>'
    ).format(
        wish.app.name,
        account.options.portal_id,
        wish.app.name,
        account.options.user_email,
        Markup('<ul class="list">{}</ul>').format(
            Markup().join(Markup("<li><code>{}</code></li>").format(one) for one in scopes)
        ),
        wish.redirect_uri,
    )


def _page(account: Account, title: str, content: Markup, status: int = 200) -> Response:
    text = html.PAGE.substitute(
        title=Markup.escape(title),
        portal_id=account.options.portal_id,
        user=Markup.escape(account.options.user_email),
        navigation="",
        content=content,
    )
    return Response(text, status, content_type="text/html;charset=utf-8")
