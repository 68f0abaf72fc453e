"""Errors that end a script with one sentence."""


class UserError(ValueError):
    """Something that a person can put right; the message is one sentence that names the thing and the remedy."""


class DataError(UserError):
    """Data that cannot be used; the message names the file and the remedy."""
