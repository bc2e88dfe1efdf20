"""The command `stamgast`: the product on a laptop, and the same verbs against a deployed stack."""
