"""A fleet's load on a deployment: thousands of recordings arriving at once, and one backfill over all of them."""
