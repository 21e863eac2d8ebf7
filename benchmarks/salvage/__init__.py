"""How much of a recording that was cut off comes back, over containers and compressions."""
