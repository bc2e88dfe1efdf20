"""The only code of Stamgast that talks to AWS; an adapter is named technology + port."""
