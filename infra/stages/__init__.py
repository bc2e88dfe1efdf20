"""One construct for each stage of an event's way, named as the stage."""
