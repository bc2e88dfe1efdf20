"""What the command tells its user when it cannot go on.

StamgastError
├── NotRunningError        nothing runs locally, or the named stack is not deployed
├── NotLoopbackError       a local verb was pointed at something that is not this machine
├── BusyError              another process is changing the local deployment
├── EmulatorError          the emulator did not start, answer or stop
├── DeployError            the CDK command line failed
└── InputError             the user's input cannot be used
"""


class StamgastError(Exception):
    """A failure that names what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotRunningError(StamgastError):
    """Nothing runs here under that name."""


class NotLoopbackError(StamgastError):
    """A local verb never leaves this machine."""


class EmulatorError(StamgastError):
    """The emulator did not start, answer or stop."""


class BusyError(StamgastError):
    """Another process is changing the local deployment."""


class DeployError(StamgastError):
    """The CDK command line failed."""


class InputError(StamgastError):
    """What the user gave cannot be used."""
