"""How fast requests are collected, validated, stamped and serialised, beside parsing alone.

    python bench/ingestion.py [--json]

Measured is `Collector.collect` whole, with everything but the network: key cache, reading,
merging, verdicts, the message's text (deflated from 64 KiB on), answer and headers. The floors
parse the same bytes and do nothing else. The process is settled as the function's is. CPU time
of one core, the best of 150 short rounds, for other work on the machine only ever adds to it.
"""

import argparse
import json
import random
from collections.abc import Callable
from time import process_time

import orjson

from stamgast.identity.assurance import Assurance
from stamgast.ingestion.accept import accept
from stamgast.ingestion.collect import Collector
from stamgast.ingestion.envelope import encode
from stamgast.ingestion.key_cache import KeyCache
from stamgast.ingestion.rate import RateLimiter
from stamgast.ingestion.request import Request
from stamgast.ingestion.verdicts import Receipt
from stamgast.ingestion.write_key import Source
from stamgast_aws.process import settle

NOW_MS = 1_795_255_304_000
EVENT_BYTES = 1_024
BATCHES = (1, 10, 100)
ROUNDS = 150
HEADERS = {"authorization": "Basic a2V5Og==", "user-agent": "bench", "content-type": "text/plain"}


class Ports:
    """A queue, a key store and a ledger that cost nothing."""

    def put(self, _messages: list[str]) -> None:
        """Keeps nothing."""

    def find(self, _key_hash: str) -> Source | None:
        """Knows every key."""
        return Source("server", Assurance.VERIFIED)

    def add(self, _source_id: str, _second: int, _events: int) -> int:
        """Counts nothing."""
        return 0


def event(rng: random.Random) -> dict[str, object]:
    """A completed order of 1,024 bytes as a shop's server sends it."""
    products = [
        {
            "product_id": f"sku-{rng.randrange(10**6)}",
            "category": rng.choice(("GROCERY", "DRUG GM", "PRODUCE", "MEAT")),
            "price": rng.randrange(50, 5_000) / 100,
            "quantity": rng.randrange(1, 5),
        }
        for _ in range(4)
    ]
    told: dict[str, object] = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"{rng.getrandbits(128):032x}",
        "userId": f"household-{rng.randrange(2_500)}",
        "anonymousId": f"{rng.getrandbits(128):032x}",
        "timestamp": f"2026-11-20T10:{rng.randrange(60):02}:{rng.randrange(60):02}.123Z",
        "context": {
            "library": {"name": "analytics-python", "version": "2.4.0"},
            "page": {"url": f"https://shop.example/basket/{rng.randrange(10**6)}"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        },
        "properties": {
            "order_id": f"order-{rng.randrange(10**8)}",
            "revenue": rng.randrange(100, 20_000) / 100,
            "currency": "USD",
            "products": products,
        },
        "integrations": {},
    }
    padding = EVENT_BYTES - len(orjson.dumps({**told, "note": ""}))
    words = " ".join(rng.choice(("milk", "bread", "coupon", "store", "week")) for _ in range(99))
    return {**told, "note": words[:padding]}


def best_us(work: Callable[[], object], events: int) -> float:
    """Microseconds of CPU an event, the best of the rounds."""
    repeats = max(2, 300 // events)
    best = float("inf")
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(repeats):
            work()
        best = min(best, process_time() - began)
    return best / repeats / events * 1e6


def measure(size: int) -> dict[str, float]:
    """All figures of one batch size."""
    rng = random.Random(size)
    told = {"batch": [event(rng) for _ in range(size)], "sentAt": "2026-11-20T11:00:00Z"}
    body = orjson.dumps(told)
    ports = Ports()
    collector = Collector(KeyCache(ports), RateLimiter(ports), ports)
    request = Request("POST", "/v1/batch", "request", HEADERS, {}, body)
    assert collector.collect(request, NOW_MS).accepted == size
    receipt = Receipt("request", NOW_MS, "server", Assurance.VERIFIED, sent_ms=NOW_MS)
    envelope = accept(orjson.loads(body)["batch"], receipt)
    return {
        "batch": size,
        "bytes_per_event": round(len(body) / size),
        "collect_us": best_us(lambda: collector.collect(request, NOW_MS), size),
        "of_it_serialise_us": best_us(lambda: encode(envelope), size),
        "json_loads_us": best_us(lambda: json.loads(body), size),
        "orjson_loads_us": best_us(lambda: orjson.loads(body), size),
    }


def main() -> None:
    """Prints the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    settle()
    figures = [measure(size) for size in BATCHES]
    if parser.parse_args().json:
        print(json.dumps(figures))
        return
    print("batch  bytes/event  collect µs  (serialise)  events/s/core  json.loads  orjson.loads")
    for row in figures:
        collect, strict = row["collect_us"], row["orjson_loads_us"]
        print(
            f"{row['batch']:5}  {row['bytes_per_event']:11}  {collect:10.1f}"
            f"  {row['of_it_serialise_us']:11.1f}  {1e6 / collect:13,.0f}"
            f"  {row['json_loads_us']:6.1f} ({collect / row['json_loads_us']:.1f}x)"
            f"  {strict:6.1f} ({collect / strict:.1f}x)"
        )


if __name__ == "__main__":
    main()
