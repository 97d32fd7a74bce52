from tests.sandbox_process import sandbox

CONTACTS = "/crm/v3/objects/contacts"
SEARCH = f"{CONTACTS}/search"


def test_burst_counts_down_and_then_refuses() -> None:
    with sandbox(burst_limit=3) as crm:
        left = [crm.api("GET", CONTACTS)[2]["X-HubSpot-RateLimit-Remaining"] for _ in range(3)]
        status, body, headers = crm.api("GET", CONTACTS)
        assert (crm.statistics()["total"], crm.statistics()["refused"]) == (3, 1)
    assert left == ["2", "1", "0"]
    assert (status, body["policyName"], body["errorType"]) == (
        429,
        "TEN_SECONDLY_ROLLING",
        "RATE_LIMIT",
    )
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"


def test_search_has_a_limit_and_a_shape_of_its_own() -> None:
    with sandbox(search_limit=2, burst_limit=100) as crm:
        answers = [crm.api("POST", SEARCH, {}) for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert answers[2][1]["category"] == "RATE_LIMITS"
    assert answers[2][1]["message"] == "You have reached your secondly limit."
    assert "X-HubSpot-RateLimit-Remaining" not in answers[0][2]
    assert "X-HubSpot-RateLimit-Daily-Remaining" in answers[0][2]


def test_daily_limit_ends_with_the_day_of_the_account() -> None:
    with sandbox(daily_limit=2) as crm:
        usage = "/account-info/v3/api-usage/daily/private-apps"
        _, told, _ = crm.api("GET", usage)
        crm.api("GET", CONTACTS)
        status, body, headers = crm.api("GET", CONTACTS)
        assert (told["results"][0]["usageLimit"], told["results"][0]["currentUsage"]) == (2, 1)
        assert (status, body["policyName"]) == (429, "DAILY")
        assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
        crm.settings(clock_offset_s=24 * 3600)
        assert crm.api("GET", CONTACTS)[0] == 200


def test_statistics_reset_forgets_calls_and_limits() -> None:
    with sandbox(daily_limit=1) as crm:
        crm.api("GET", CONTACTS)
        assert crm.statistics()["calls"] == {"objects.list_records": 1}
        crm.reset_statistics()
        assert crm.statistics()["total"] == 0
        assert crm.api("GET", CONTACTS)[0] == 200
