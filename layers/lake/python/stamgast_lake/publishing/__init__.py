"""From the lake to the live view: persons, timelines, facts and RFM cells, where they differ."""
