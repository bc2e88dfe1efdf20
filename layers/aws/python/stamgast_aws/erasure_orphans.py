"""Who is left of an erased person's messages, and is nobody without them."""

from collections.abc import Callable, Mapping, Sequence

from stamgast.erasure.subject import Subject
from stamgast_aws.dynamo_values import Item
from stamgast_aws.identity_items import pointer_key
from stamgast_aws.identity_store import DynamoIdentityStore

FACTS = frozenset({"L", "B"})


def orphans_of(
    subject: Subject, store: DynamoIdentityStore, partition: Callable[[Item], Sequence[Item]]
) -> Mapping[str, str]:
    """Those whom only the subject's messages named, each with the person that it alone is.

    They founded it, it has no facts, and a run would give it no person.
    """
    pointers = store.read_pointers(subject.orphans).values()
    lone = {one.key: one.person_id for one in pointers if one.born.person_id in subject.births}
    roots, _ = store.read_persons(set(lone.values()))
    return {
        key: person_id
        for key, person_id in lone.items()
        if person_id in roots and roots[person_id].members.keys() == {key}
        if not any(item["SK"]["S"] in FACTS for item in partition(pointer_key(key)))
    }
