"""What each guide says, statement by statement."""

import pytest
from django.test import Client

from hubconnect.systems.services.consent import redirect_uri
from tests.integration.systems.test_help import links, words

pytestmark = pytest.mark.django_db


def says(client: Client, slug: str, *parts: str) -> None:
    """Hold a guide against the parts it must say, in this order."""
    told = words(client, slug)
    place = 0
    for part in parts:
        found = told.find(part, place)
        assert found >= 0, (
            f"{slug} does not say {part!r} after {told[max(place - 60, 0) : place]!r}"
        )
        place = found


@pytest.mark.requirement("S1", "S2", "S3")
def test_integration_user_is_for_hubconnect_alone(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-user",
        "the Integration User",
        "one HubSpot user for HubConnect alone",
        "let nobody use it for anything else in HubSpot’s interface",
    )


@pytest.mark.requirement("S4", "S5")
def test_integration_user_guide_leads_to_permissions_and_scopes(monitor_client: Client) -> None:
    found = links(monitor_client, "hubspot-user")
    assert any("hubspot-user-permissions-guide" in one for one in found)
    assert any(one.endswith("/authentication/scopes") for one in found)
    assert "/help/hubspot-scopes/" in found


@pytest.mark.requirement("S91", "S92")
def test_user_is_added_step_by_step(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-user",
        "Super Admin",
        "manage users and teams",
        "Settings icon at the top right",
        "Users & Teams",
        "Create User",
        "e-mail address",
        "Next",
        "review",
        "Send",
        "receives a mail",
        "can be changed later",
        "What it must be allowed",
    )


@pytest.mark.requirement("S6", "S7", "S8", "S9")
def test_prerequisites_tell_order_and_both_ways(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-prerequisites",
        "It comes first",
        "Two ways to sign in",
        "Access Token",
        "Access Token and Application Id",
        "OAuth 2.0",
        "Client ID, Client Secret, Authorization Code and Application Id",
        "in both modes",
    )
    found = links(monitor_client, "hubspot-prerequisites")
    assert {"/help/hubspot-private-app/", "/help/hubspot-public-app/"} <= found


@pytest.mark.requirement("S10", "S114")
def test_only_needed_scopes_are_advised(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-scopes",
        "decide which data an app may read and which it may change",
        "and no others",
    )


def test_missing_scope_is_warned_of_before_set_up(monitor_client: Client) -> None:
    says(monitor_client, "hubspot-prerequisites", "A scope that is missing makes a sync fail later")
    says(monitor_client, "hubspot-scopes", "a failure that names it")


@pytest.mark.requirement("S14", "S17", "S18")
def test_scopes_of_objects_links_and_files(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-scopes",
        "crm.objects.notes.read and files",
        "crm.objects.notes.write and files",
        "covers every detail",
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        "crm.objects.tickets.read and crm.objects.contacts.read",
        "Files hang on notes",
    )


@pytest.mark.requirement("S110", "S111", "S112", "S113", "S115")
def test_scopes_are_changed_step_by_step(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-scopes",
        "as a Super Admin",
        "Account: Integrations, then Private Apps",
        "Choose the app",
        "Edit",
        "Scopes tab, tick or untick, press Save",
        "makes the present token invalid",
        "The same goes for public apps",
        "must fit what the integrations do",
    )


@pytest.mark.requirement("S93", "S94", "S95", "S96", "S97", "S98", "S99")
def test_private_app_step_by_step(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-private-app",
        "as the Integration User, with the rights of an administrator",
        "Settings, Integrations, Private Apps",
        "Create a private app",
        "HubConnect Integration",
        "Scopes tab",
        "Create App",
        "Copy the access token",
        "Access Token",
        "Application Id",
    )
    assert any(
        "private-apps/overview" in one for one in links(monitor_client, "hubspot-private-app")
    )


@pytest.mark.requirement("S100", "S101", "S102", "S103", "S104", "S105", "S106")
def test_public_app_step_by_step(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-public-app",
        "as the Integration User, who must be a Super Admin",
        "Settings, Integrations, Legacy Apps",
        "public app and give it a name",
        "Application ID, Client ID and Client Secret, all made by HubSpot",
        "Leave Sample URL empty",
        "Redirect URL",
        redirect_uri(),
        "scopes",
        "Create App",
        "Copy Application ID, Client ID and Client Secret",
    )
    assert any("public-apps/overview" in one for one in links(monitor_client, "hubspot-public-app"))


@pytest.mark.requirement("S107", "S108", "S109")
def test_application_id_is_the_last_part_of_the_address(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-app-id",
        "Open the app",
        "last part of its path",
        "paste the whole address",
        "/private-apps/45105664/2851633",
        "2851633",
    )


@pytest.mark.requirement("S116", "S117", "S118", "S119", "S60")
def test_internal_names_are_found_step_by_step(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-internal-names",
        "Label",
        "Internal name",
        "Deal Namedealname",
        "Lifecycle Stagelifecyclestage",
        "Company Sizecompany_size",
        "Settings, Data Management, Objects",
        "Manage properties",
        "Press a property",
        "internal value",
        "hold an association",
    )
    assert "/help/hubspot-internal-names/" in links(monitor_client, "hubspot-criteria")


@pytest.mark.requirement("S120", "S121", "S122", "S123", "S124", "S125", "S126", "S28")
def test_authorization_code_step_by_step(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-oauth",
        "developer account, with an existing legacy public app",
        "existing one, or a test account",
        "Super Admin",
        "Access Token and OAuth 2.0",
        "Client ID, Client Secret and Authorization Code",
        "Auth section",
        "redirect URL",
        redirect_uri(),
        "Assign the scopes",
        "Install URL",
        f"{redirect_uri()}?code=na1-",
        "Copy the value of code",
        "After any change of scopes or permissions regenerate the code",
    )
    assert any("working-with-oauth" in one for one in links(monitor_client, "hubspot-oauth"))


@pytest.mark.requirement("S127", "S128", "S129")
def test_code_works_once_and_an_app_serves_one_user(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-oauth",
        "cannot be used again",
        "the whole way again, with a new Install URL, approval and code",
        "One HubSpot app serves the use of one user",
        "an app of their own",
    )


def test_links_are_explained_better_than_by_the_api_host(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-links",
        "Empty",
        "Not to the API Url",
        "Filled in",
        "another address",
    )


@pytest.mark.requirement("S39", "S40", "S41", "S42", "S46", "S47")
def test_notes_are_comments_or_records(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-notes",
        "each new note there becomes a new comment",
        "each new comment on the other side becomes a note",
        "object type Note",
        "every note arrives twice",
        "--OH_Default--",
        "--Copy--",
        "for comments as for attachments",
    )


@pytest.mark.requirement("S43", "S44", "S45")
def test_files_travel_on_notes(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-notes",
        "makes a separate note there",
        "those attachment notes are synced as well",
        "each file becomes one new note that contains it",
    )


@pytest.mark.requirement("S49")
def test_unassociated_notes_are_not_shown_by_hubspot(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-notes",
        "does not show a note, an email or a meeting that is associated with nothing",
        "any one of them will do",
        "waits as a failure",
    )


@pytest.mark.requirement("S77", "S78", "S79", "S80", "S81", "S82", "S83", "S84", "S85")
def test_known_behaviour_of_notes_is_told(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-notes",
        "notes, emails, calls, meetings and tasks",
        "plain text: “@Name”",
        "are not synced, and the forms do not offer it",
        "One note can belong to several records",
        "Note A is created on Deal 1",
        "associated with Deal 2",
        "may be skipped",
        "Ticket 1",
        "nobody needs to touch a note",
        "change the note slightly",
    )


@pytest.mark.requirement("S63")
def test_criteria_and_their_limits(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-criteria",
        "HubSpot is the source",
        "internal names",
        "ISO 8601",
        '"field":"dealstage","value":"appointmentscheduled"',
        '"value":"2025-06-15T03:00:29.864Z"',
        '"propertyName":"dealname","operator":"EQ","value":"new"',
        "Three conditions at most",
        "No grouping",
        "in criteria or in a lookup",
        "HubSpot expects a value",
        "NOT_HAS_PROPERTY",
    )


def test_lookup_is_told_beside_criteria(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-criteria",
        "between two @ signs",
        "@oh_internal_id@",
        "nothing is created in its place",
    )


@pytest.mark.requirement("S86", "S87", "S88", "S89", "S90")
def test_validation_error_is_explained_with_its_remedy(monitor_client: Client) -> None:
    says(
        monitor_client,
        "hubspot-troubleshooting",
        "VALIDATION_ERROR",
        "improper data",
        "mandatory field is missing",
        "an e-mail field that holds plain text",
        "internal name of the field",
        "a mandatory field that is missing, or is its value not valid?",
        "does not say so",
    )
    assert "/help/hubspot-internal-names/" in links(monitor_client, "hubspot-troubleshooting")


@pytest.mark.parametrize(
    ("slug", "date"),
    [
        ("hubspot-private-app", "26 October 2026"),
        ("hubspot-public-app", "23 June 2026"),
        ("hubspot-service-key", "28 September 2026"),
        ("hubspot-prerequisites", "September 2027"),
    ],
)
def test_todays_state_of_hubspot_is_said_plainly(
    monitor_client: Client, slug: str, date: str
) -> None:
    says(monitor_client, slug, "can no longer be created")
    assert date in words(monitor_client, slug)
    assert "/help/hubspot-service-key/" in links(monitor_client, slug)
