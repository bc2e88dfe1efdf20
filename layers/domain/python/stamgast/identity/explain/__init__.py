"""Why a person is one person: what holds it together, what each cut would do, what was refused."""
