"""The workspace's secret: Secrets Manager holds it, a process reads it once."""

import json
from typing import Any

from stamgast.identity.keys import Keyring


class SecretsManagerKeyring:
    """Reads `{"version": 1, "secret": "..."}` on first use and keeps the keyring."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._keyring: Keyring | None = None

    def get(self) -> Keyring:
        """The keyring under the secret's current version."""
        if self._keyring is None:
            answer = self._client.get_secret_value(SecretId=self._secret_id)
            told = json.loads(answer["SecretString"])
            self._keyring = Keyring(int(told["version"]), told["secret"].encode())
        return self._keyring
