"""Live rules over the table of profiles, for those workspaces that have any."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from stamgast.profile.store import Pause
from stamgast.workspace.model import Workspace

if TYPE_CHECKING:  # loaded on use: a workspace without live rules needs none of it
    from stamgast.segments.live.rules import LiveRules, Tell

READS_AT_ONCE = 8
WRITTEN_AT_ONCE = 25  # one call's worth, by those who may batch


def live_rules(
    workspace: Workspace,
    dynamodb: Any,
    table: str,
    tell: "Tell",
    now_ms: Callable[[], int],
    pause: Pause,
    *,
    is_run: bool = False,
    withhold: "Tell | None" = None,
) -> "LiveRules | None":
    """The live rules of a workspace; None where nothing is live.

    A run settles those that wait for it by the same code, so it gets them where anything is asked;
    it settles many persons at once, and may write in batches.
    """
    asked = (*workspace.segments, *workspace.traits)
    if not any(is_run or one.get("live") for one in asked):
        return None
    from stamgast.segments.live.plan import plan_of
    from stamgast.segments.live.rules import LiveRules, unnoted
    from stamgast_aws.live_store import DynamoLiveStore

    store = DynamoLiveStore(dynamodb, table, _threads(), pause)
    ways = (tell, now_ms, pause, _threads().map, withhold or unnoted)
    return LiveRules(plan_of(workspace), store, *ways, WRITTEN_AT_ONCE if is_run else 1)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READS_AT_ONCE)
