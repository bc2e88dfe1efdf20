"""The rules of Stamgast: pure functions and values, one sub-package a stage of an event's way."""
