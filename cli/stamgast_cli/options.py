"""The options that many verbs share."""

from typing import Annotated

import typer

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        help="A deployed environment (dev, prod) or the full name of its stack; "
        "left out: the one on this machine.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and no progress.")]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="STAMGAST_READER_TOKEN",
        help="A reader token; on this machine the one that `up` made.",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="A past date or time (ISO 8601), in the workspace's zone unless it has an offset.",
    ),
]
