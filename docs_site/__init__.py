"""The documentation site: the pages that are made from the code, and the screens that show what commands print."""
