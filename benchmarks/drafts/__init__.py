"""What becomes of recordings by the profiles that bagmill drafts for them, unedited: published, or the reason."""
