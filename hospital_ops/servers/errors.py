"""What can go wrong while servers are started; each message says what to do next."""

from hospital_ops.errors import ConfigurationError


class ServersError(ConfigurationError):
    """A server, or the folder it lives in, cannot be used."""


class DataDirectoryBusyError(ServersError):
    """Another program, or a server it left behind, still uses the data directory."""


class DataDirectoryRefusedError(ServersError):
    """The data directory cannot be used by this user or on this machine."""


class ServerMissingError(ServersError):
    """The package that carries a server's program is not installed."""


class ChildStartError(ServersError):
    """A child ended, or did not become ready, while it was started for the first time."""
