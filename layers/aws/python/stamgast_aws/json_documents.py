"""Small JSON documents in a bucket, each under a key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True, slots=True)
class JsonDocuments:
    """Documents over a low-level S3 client."""

    s3: Any
    bucket: str

    def read(self, key: str) -> dict[str, Any] | None:
        """The document; None where there is none."""
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        told: dict[str, Any] = json.loads(answer["Body"].read())
        return told

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """Writes a document in the place of the one before."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(document).encode())

    def forget_older(self, key: str) -> None:
        """Takes every version of a document away but the present one."""
        listed = self.s3.list_object_versions(Bucket=self.bucket, Prefix=key)
        for one in listed.get("Versions", ()):
            if one["Key"] == key and not one["IsLatest"]:
                told = {"Bucket": self.bucket, "Key": key, "VersionId": one["VersionId"]}
                self.s3.delete_object(**told)
