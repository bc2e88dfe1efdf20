"""Values as people may see them who have no right to them: enough to compare, too little to use."""

from stamgast.identity.settings import Form, IdentitySettings

HIDDEN = "•••"
SHORTEST_SHOWN = 6


def masked(namespace: str, value: str, settings: IdentitySettings) -> str:
    """The value with all but a few characters hidden: `a•••@e•••.org`, `+31•••42`, `u-•••`."""
    known = settings.by_name.get(namespace)
    form = known.form if known else Form.TEXT
    if form is Form.EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        return f"{local[:1]}{HIDDEN}@{domain[:1]}{HIDDEN}.{domain.rpartition('.')[2]}"
    if len(value) < SHORTEST_SHOWN:
        return HIDDEN
    if form is Form.PHONE:
        return f"{value[:3]}{HIDDEN}{value[-2:]}"
    return f"{value[:2]}{HIDDEN}"
