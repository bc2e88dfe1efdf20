"""Events of an API Gateway REST API (Lambda proxy, payload format 1.0) as requests, and back."""

import re
from base64 import b64encode
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from stamgast.ingestion.inflate import body_of
from stamgast.ingestion.request import Answer, Request

HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
KEPT_BITS = {4: 24, 6: 48}


def request_of(event: Mapping[str, Any]) -> Request:
    """The request that a proxy event carries."""
    context = event.get("requestContext") or {}
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    host = _host_of(headers, context)
    return Request(
        method=event["httpMethod"],
        path=event["path"],
        request_id=context["requestId"],
        headers=headers,
        query=event.get("queryStringParameters") or {},
        body=body_of(event.get("body"), bool(event.get("isBase64Encoded"))),
        ip=truncated(_address_of(headers, context)),
        host=host,
        scheme=_scheme_of(headers, host),
    )


def proxy_answer(answer: Answer) -> dict[str, Any]:
    """What the function gives back to the gateway, which takes bytes that are no text as base64."""
    is_text = not answer.headers.get("Content-Type", "").startswith("image/")
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body.decode() if is_text else b64encode(answer.body).decode(),
        "isBase64Encoded": not is_text,
    }


def truncated(address: str | None) -> str | None:
    """An address without the part that tells one household from another: /24, or /48 in IPv6."""
    try:
        bits = KEPT_BITS[ip_address(address or "").version]
    except ValueError:
        return None
    return str(ip_network(f"{address}/{bits}", strict=False).network_address)


def _address_of(headers: Mapping[str, str], context: Mapping[str, Any]) -> str | None:
    """The sender's address; behind CloudFront that is the one before the edge's own (RFC 7239)."""
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",")]
    if "x-amz-cf-id" in headers and len(hops) > 1:
        return hops[-2]
    address: str | None = (context.get("identity") or {}).get("sourceIp")
    return address


def _host_of(headers: Mapping[str, str], context: Mapping[str, Any]) -> str:
    """The host that clients should send to; the gateway's own one needs its stage."""
    told = headers.get("x-forwarded-host") or headers.get("host") or ""
    host = told if HOST.fullmatch(told) else str(context.get("domainName", "localhost"))
    return f"{host}/{context.get('stage')}" if ".execute-api." in host else host


def _scheme_of(headers: Mapping[str, str], host: str) -> str:
    told = headers.get("x-forwarded-proto")
    if told in ("http", "https"):
        return told
    return "http" if LOOPBACK.fullmatch(host) else "https"
