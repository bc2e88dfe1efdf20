"""Days to keep logs, as CloudWatch names them."""

from aws_cdk import aws_logs as logs

_DAYS = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


def kept(days: int) -> logs.RetentionDays:
    """Return the retention of this many days; KeyError for a number that CloudWatch lacks."""
    return _DAYS[days]
