"""The documents that clients fetch first; they decide where a client sends its events."""

import orjson

from stamgast.ingestion.request import Answer, Request


def analytics_settings(request: Request, write_key: str) -> Answer:
    """What Segment's browser and mobile clients read: events go to the host that was asked.

    `apiHost` has no scheme; without this entry clients would send to their vendor's own host.
    """
    segment = {
        "apiKey": write_key,
        "apiHost": f"{request.host}/v1",
        "protocol": request.scheme,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    return _document(
        {
            "integrations": {"Segment.io": segment},
            "plan": {
                "track": {"__default": {"enabled": True, "integrations": {}}},
                "identify": {"__default": {"enabled": True}},
                "group": {"__default": {"enabled": True}},
            },
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        }
    )


def source_config(write_key: str, source_id: str) -> Answer:
    """What RudderStack's clients read: a source that is on, without destinations of its own."""
    source = {
        "id": source_id,
        "name": source_id,
        "writeKey": write_key,
        "enabled": True,
        "workspaceId": "stamgast",
        "config": {
            "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
        },
        "destinations": [],
        "connections": [],
        "dataplanes": {},
    }
    return _document({"source": source, "isHosted": False, "updatedAt": "2026-01-01T00:00:00.000Z"})


def _document(told: dict[str, object]) -> Answer:
    return Answer(200, orjson.dumps(told))
