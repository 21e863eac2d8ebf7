"""The error of a definition that cannot be parsed."""


class UnreadableDefinitionError(ValueError):
    """A line of a definition that is no field, constant or comment; says which."""
