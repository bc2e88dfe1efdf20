"""How a law over stories is searched: generated alone, for a story costs too much to shrink."""

from hypothesis import HealthCheck, Phase, settings


def thorough(examples: int) -> settings:
    """So many stories, however slowly each is told."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(
        max_examples=examples, phases=[Phase.explicit, Phase.generate], suppress_health_check=slow
    )
