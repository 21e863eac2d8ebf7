"""Programs and profiles that show bagmill at work; the library never imports from here."""
