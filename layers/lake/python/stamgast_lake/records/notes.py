"""What a model says of the data that it was learnt from: rules that were bounded, and crowds."""

from collections.abc import Sequence

from stamgast_lake.records.blocking import Block


def tightened(blocks: Sequence[Block]) -> list[str]:
    """A note for each rule that makes fewer comparisons than it names."""
    spent = [
        f"rule {block.rule!r}: not used, rules before it make all comparisons that are allowed"
        for block in blocks
        if not block.largest
    ]
    return spent + [
        f"rule {block.rule!r}: tightened to {block.comparisons} comparisons,"
        f" {block.refused_comparisons} between too common keys are not made"
        for block in blocks
        if block.refused_comparisons
    ]


def crowded(crowd: int, records: int) -> list[str]:
    """A note where somebody, or a value that stands for nobody, is much of the file."""
    if not crowd:
        return []
    told = f"{crowd} of {records} records repeat a name and birth date that many records have"
    return [f"{told}: how often values agree by chance was learnt without them"]
