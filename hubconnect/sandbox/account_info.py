"""The account, and what a token may do (pages "Account information", "Manage OAuth tokens")."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Request, Response

from hubconnect.sandbox.account import Account
from hubconnect.sandbox.auth import Token, find_token
from hubconnect.sandbox.call import Call, answer
from hubconnect.sandbox.errors import unauthenticated
from hubconnect.sandbox.moments import to_text


def local_now(account: Account) -> datetime:
    """Return the present moment in the account's time zone."""
    now = datetime.fromtimestamp(account.clock.now() / 1000, UTC)
    return now.astimezone(ZoneInfo(account.options.time_zone))


def _offset(account: Account) -> tuple[str, int]:
    now = local_now(account)
    text = now.strftime("%z")
    milliseconds = round((now.utcoffset() or timedelta()).total_seconds() * 1000)
    return f"{text[:3]}:{text[3:]}", milliseconds


def get_details(call: Call) -> Response:
    """Tell the account's number, time zone, currency and where its pages are."""
    call.require("oauth")
    options = call.account.options
    text, milliseconds = _offset(call.account)
    is_european = "-eu1" in options.ui_domain
    return answer(
        {
            "portalId": options.portal_id,
            "accountType": "DEVELOPER_TEST",
            "timeZone": options.time_zone,
            "companyCurrency": options.currency,
            "additionalCurrencies": list(call.account.more_currencies),
            "utcOffset": text,
            "utcOffsetMilliseconds": milliseconds,
            "uiDomain": options.ui_domain,
            "dataHostingLocation": "eu1" if is_european else "na1",
        }
    )


def get_me(call: Call) -> Response:
    """Tell the same through the older call."""
    options = call.account.options
    text, milliseconds = _offset(call.account)
    return answer(
        {
            "portalId": options.portal_id,
            "timeZone": options.time_zone,
            "accountType": "DEVELOPER_TEST",
            "currency": options.currency,
            "utcOffset": text,
            "utcOffsetMilliseconds": milliseconds,
        }
    )


def get_daily_usage(call: Call) -> Response:
    """Tell how many calls of the day are used up."""
    call.require("oauth")
    now = local_now(call.account)
    tomorrow = datetime(now.year, now.month, now.day, tzinfo=now.tzinfo) + timedelta(days=1)
    return answer(
        {
            "results": [
                {
                    "name": "private-apps-api-calls-daily",
                    "usageLimit": call.account.limits.daily,
                    "currentUsage": call.account.limits.used_today(now.strftime("%Y-%m-%d")),
                    "collectedAt": to_text(call.account.clock.now()),
                    "fetchStatus": "SUCCESS",
                    "resetsAt": to_text(round(tomorrow.timestamp() * 1000)),
                }
            ]
        }
    )


def get_token_info(account: Account, request: Request) -> Response:
    """Tell account, app, user and scopes of a private app's token; needs no scope."""
    body = request.get_json(force=True, silent=True) or {}
    token = _find(account, str(body.get("tokenKey", "")))
    if token is None:
        raise unauthenticated()
    return answer(
        {
            "userId": token.user_id,
            "hubId": account.options.portal_id,
            "appId": token.app_id or None,  # a service key has no app
            "scopes": list(token.scopes),
        }
    )


def _find(account: Account, text: str) -> Token | None:
    with account.store.reading() as db:
        return find_token(db, text)
