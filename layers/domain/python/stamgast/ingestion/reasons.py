"""Every code with which the stage refuses an event or a request, and what it means."""

EVENT_FAULTS = {
    "unreadable": "the event is not JSON, or a CSV row has not the fields of its header",
    "not_an_object": "an event is a JSON object",
    "type_unknown": "type is one of identify, track, page, screen, group, alias",
    "id_missing": "userId or anonymousId is required",
    "id_not_text": "an id is a text or a number",
    "id_too_long": "an id has at most 1,024 characters",
    "message_id_too_long": "messageId has at most 256 characters",
    "event_missing": "a track call names its event",
    "group_id_missing": "a group call names its groupId",
    "previous_id_missing": "an alias call names its previousId, or userId and anonymousId",
    "not_a_mapping": "the field is a JSON object",
    "too_large": "an event has at most 262,144 bytes",
    "too_deep": "an event is nested at most 64 levels deep",
    "not_json": "the event holds a value that JSON cannot",
}

# With these the tracking plan of the workspace sets an event aside.
PLAN_FAULTS = {
    "plan_event_unplanned": "the tracking plan does not name this event",
    "plan_event_refused": "the tracking plan sets every event of this name aside",
    "plan_property_missing": "the tracking plan requires this property",
    "plan_property_type": "the tracking plan says another type for this property",
    "plan_property_value": "the tracking plan does not list this value for the property",
    "plan_property_undeclared": "the tracking plan does not name this property",
}

REQUEST_FAULTS = {
    "invalid_json": (400, "nothing in the body can be read as JSON"),
    "not_an_object": (400, "the body is a JSON object"),
    "batch_missing": (400, "the body holds an array named batch"),
    "invalid_gzip": (400, "the body is not valid gzip"),
    "invalid_base64": (400, "the body or the data parameter is not valid base64"),
    "strict": (400, "strict mode: an event was refused, so none was taken"),
    "unauthorized": (401, "the write key is missing, unknown or revoked"),
    "not_found": (404, "no such path"),
    "method_not_allowed": (405, "the path does not take this method"),
    "too_large": (413, "inflated a body has at most 4,194,304 bytes, its context in all 8,388,608"),
    "too_many_events": (413, "a request has at most 2,500 events"),
    "throttled": (429, "too many events for this source; try again later"),
    "not_durable": (503, "the events could not be stored; try again later"),
    "plan_unavailable": (503, "the tracking plan could not be read; try again later"),
    "keys_unavailable": (503, "the write key could not be looked up; try again later"),
}
