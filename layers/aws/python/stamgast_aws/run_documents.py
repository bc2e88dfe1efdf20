"""The documents of one run, and the artefacts of models, in the lake's bucket."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RunDocuments:
    """The port `Documents` of the layer that learns, over a low-level S3 client."""

    s3: Any
    bucket: str
    run_id: str

    def get(self, name: str) -> bytes:
        """A document of the run; botocore's NoSuchKey error without one."""
        return self.artefact(self._key(name))

    def put(self, name: str, body: bytes) -> None:
        """Keeps a document of the run."""
        self.s3.put_object(Bucket=self.bucket, Key=self._key(name), Body=body)

    def artefact(self, key: str) -> bytes:
        """An object by its whole key."""
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def _key(self, name: str) -> str:
        return f"runs/{self.run_id}/{name}"
