"""The guard that keeps local verbs on this machine."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from stamgast_cli.errors import NotLoopbackError

ACCOUNT = "000000000000"
REGION = "us-east-1"
LEAKY = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def require_loopback(url: str) -> str:
    """Return the address, or refuse it: without an endpoint the CDK talks to real AWS."""
    host = urlsplit(url).hostname or ""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    if not is_here:
        raise NotLoopbackError(
            f"{url!r} is not an address of this machine, so no local verb will touch it",
            hint="Use --stack NAME for a deployed stack.",
        )
    return url


def local_environment(
    endpoint_url: str, inherited: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return an environment in which every AWS client reaches the emulator and nothing else."""
    known = os.environ if inherited is None else inherited
    kept = {k: v for k, v in known.items() if k not in LEAKY}
    kept = {k: v for k, v in kept.items() if not k.startswith("AWS_ENDPOINT_URL")}
    return kept | {
        "AWS_ENDPOINT_URL": require_loopback(endpoint_url),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
    }
