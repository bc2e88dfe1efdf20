"""What stays of a text of another person's message that names an erased one."""

from dataclasses import dataclass, replace
from functools import cached_property

import orjson

from stamgast.erasure.file_names import renamed
from stamgast.erasure.naming import Naming
from stamgast.erasure.needles import Needles, needles_of
from stamgast.erasure.sealing import Sealing
from stamgast.erasure.subject import Subject
from stamgast.identity.keys import Keyring
from stamgast.identity.settings import IdentitySettings
from stamgast.raw.record import RawRecord


@dataclass(frozen=True)
class Redaction:
    """Takes the identifiers of some persons out of JSON texts, in whatever spelling they stand."""

    subjects: tuple[Subject, ...]
    settings: IdentitySettings
    keyring: Keyring

    def of_json(self, text: str) -> str:
        """The document without values that spell the identifiers, and texts without mentions."""
        naming = Naming(self.settings, self.keyring)
        left = naming.without(orjson.loads(text), self.keys)
        return self.of_text(orjson.dumps(left).decode())

    def of_text(self, text: str) -> str:
        """The text without mentions of the identifiers that are long enough to be known."""
        told = text.encode("utf-8", "surrogatepass")
        return self._needles.taken_out_of(told).decode("utf-8", "surrogatepass")

    def of_file_name(self, key: str) -> str:
        """The key of a dropped file, with a mark for what tells of the erased."""
        return renamed(key, self._needles, self.keyring)

    def of_record(self, record: RawRecord) -> bytes:
        """The line of somebody else's message, with seals where it could not do without a value."""
        region = self.settings.region_of(record.source_id)
        body = self.sealing.body(orjson.loads(record.body), region)
        message_id = self.sealing.message_id(record.source_id, record.message_id)
        if message_id != record.message_id and "messageId" in body:
            body["messageId"] = message_id
        text = orjson.dumps(body).decode()
        left = replace(record, message_id=message_id, body=text)
        return self.of_text(left.to_json().decode()).encode("utf-8", "surrogatepass")

    @cached_property
    def sealing(self) -> Sealing:
        """What names somebody else by the same text gets a seal."""
        return Sealing(self._needles, self.settings, self.keyring, self.keys)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of all these persons."""
        return frozenset().union(*(one.keys for one in self.subjects))

    @cached_property
    def _needles(self) -> Needles:
        return needles_of(self.subjects)
