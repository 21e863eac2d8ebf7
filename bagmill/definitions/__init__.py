"""Message definitions as text: their sections, what they mean, and folders of them.

Belongs here: how a definition is written (.msg, ROS's IDL, JSON schema, protobuf descriptors), whether two of them mean the
same, what a definition lacks, and the .msg and .idl files that a user gives. Stays out: decoding by a definition, which is
`messages`, and where a recording keeps its definitions, which is `recordings`.
"""

from bagmill.definitions.comparison import Schema, differences, fuller, means_the_same
from bagmill.definitions.given import GivenDefinitions, read_definitions
from bagmill.definitions.names import full_name, own_name, package_of
from bagmill.definitions.sections import Entry, Sections, needed, parse_sections
from bagmill.definitions.unreadable import UnreadableDefinitionError

__all__ = [
    "Entry",
    "GivenDefinitions",
    "Schema",
    "Sections",
    "UnreadableDefinitionError",
    "differences",
    "full_name",
    "fuller",
    "means_the_same",
    "needed",
    "own_name",
    "package_of",
    "parse_sections",
    "read_definitions",
]
