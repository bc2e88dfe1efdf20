"""What the demo's sender leaves behind: nothing."""

import threading

from segment.analytics.client import Client
from segment.analytics.consumer import Consumer

from stamgast_cli.demo.live import SENDERS, Sender, _Session


def consumers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, Consumer)]


def test_no_thread_of_a_client_outlives_its_session() -> None:
    with _Session(Sender("http://127.0.0.1:9", "key")) as clients:
        assert len({id(next(clients)) for _ in range(2 * SENDERS)}) == SENDERS
        assert len(consumers()) == SENDERS
    assert consumers() == []


def test_the_fault_that_clients_of_one_thread_avoid_is_still_there() -> None:
    """Once this fails, the client ends all of its threads, and one client does for the demo."""
    client = Client("key", host="http://127.0.0.1:9", thread=2)
    client.shutdown()
    left = consumers()
    assert len(left) == 1
    for thread in left:
        assert isinstance(thread, Consumer)
        thread.pause()
        thread.join()
