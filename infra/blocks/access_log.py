"""What an access log says: nothing that names a person, so no address, path or query."""

import json


def fields(route: str) -> str:
    """Return the format of one line; `route` is the API's name for the matched route."""
    names = {
        "requestId": "requestId",
        "method": "httpMethod",
        "route": route,
        "status": "status",
        "latency": "responseLatency",
        "bytes": "responseLength",
    }
    return json.dumps({key: f"$context.{name}" for key, name in names.items()})
