"""The names of all metrics: functions emit them, dashboards and alarms show them."""

from enum import StrEnum


class Metric(StrEnum):
    """Counts under the namespace `Stamgast/<environment>`; `service` is the only dimension."""

    EVENTS_ARCHIVED = "EventsArchived"
    EVENTS_REJECTED = "EventsRejected"
    EVENTS_FLAGGED = "EventsFlagged"
    EVENTS_QUARANTINED = "EventsQuarantined"
    EVENTS_SUPPRESSED = "EventsSuppressed"
    EVENTS_FOLDED = "EventsFolded"
    EVENTS_WITHOUT_ANCHOR = "EventsWithoutAnchor"
    EVENTS_NOT_INTERPRETED = "EventsNotInterpreted"
    MESSAGES_POISONED = "MessagesPoisoned"
    MESSAGES_RETURNED = "MessagesReturned"
    ANCHORS_WRITTEN = "AnchorsWritten"
    ANCHORS_CONTENDED = "AnchorsContended"
    IDENTITY_CHANGED = "IdentityChanged"
    IDENTITY_PARKED = "IdentityParked"
    IDENTIFIERS_REFUSED = "IdentifiersRefused"
    LINKS_REFUSED = "LinksRefused"
    CHANGES_NOT_PUBLISHED = "ChangesNotPublished"
    MEMBERSHIPS_CHANGED = "MembershipsChanged"
    MEMBERSHIPS_UNSETTLED = "MembershipsUnsettled"
    LIVE_LAG_SECONDS = "LiveLagSeconds"
    HEALTH_FINDINGS = "HealthFindings"
    HEALTH_LARGEST_PERSON = "HealthLargestPerson"
    HEALTH_DRIFTING = "HealthDrifting"
    HEALTH_VALUES_OFF = "HealthValuesOff"
    HEALTH_EDGES_REFUSED = "HealthEdgesRefused"
    HEALTH_LINKS_STANDING = "HealthLinksStanding"
