"""The console in real Chromium, against the whole stack."""
