"""The proof: unit, contract, api, integration, e2e; see pyproject.toml for the markers."""
