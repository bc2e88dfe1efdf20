"""What is measured of two devices before a cut-off; the lake computes it, models weigh it."""

from collections.abc import Mapping

FEATURES: Mapping[str, str] = {
    "address_weight": "shared addresses, each 1/ln(devices there) (Adamic & Adar, 2003), ln(1+x)",
    "rarest_address": "1/ln(devices) of the rarest shared address",
    "address_cosine": "cosine of the devices' addresses, weighed tf·idf (Spärck Jones, 1972)",
    "hours_together": "hours in which both were at one address, each 1/ln(devices), ln(1+x)",
    "days_together": "days with such an hour, ln(1+x)",
    "same_rhythm": "cosine of the events by hour of the day (UTC)",
    "weekend_gap": "difference of the shares of events on Saturdays and Sundays",
    "same_system": "1 the same operating system, -1 another, 0 unknown",
    "same_agent": "1 the same agent, -1 another, 0 unknown",
    "same_locale": "1 the same locale, -1 another, 0 unknown",
    "same_zone": "1 the same time zone, -1 another, 0 unknown",
    "page_weight": "shared pages and campaigns, each 1/ln(devices that saw it), ln(1+x)",
    "volume": "events of the quieter device, ln(1+x)",
    "imbalance": "events of the busier device over those of the quieter, ln(x)",
}
"""Every feature of a pair with what it says; a pair and its mirror measure the same."""

UNLABELLED, OTHER_PERSON, SAME_PERSON = -1, 0, 1
SCORED_PANEL = 0
"""The panel that ends at the run's moment; panel k ends k weeks before it, and is labelled by the
log-ins of the week that followed."""
PANEL_DAYS = 7
