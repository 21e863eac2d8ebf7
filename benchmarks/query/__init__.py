"""How long it takes to open a snapshot and to ask which of its episodes are meant."""
