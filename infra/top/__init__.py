"""The live view of a sale in a terminal: what it asks the service (`snapshot`), how that looks (`screen`)."""
