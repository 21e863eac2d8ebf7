"""Reading on in damaged recordings: where whole records begin again, what the beginning of a cut chunk holds, what is lost.

Here belongs what is only asked once a recording is found damaged and its profile wants it salvaged. The readers themselves, which
read on behind damage as far as the container's own index shows where, are in `recordings`.
"""
