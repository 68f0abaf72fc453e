"""Errors that end a script with one sentence."""


class DataError(ValueError):
    """Data that cannot be used; the message names the file and the remedy."""
