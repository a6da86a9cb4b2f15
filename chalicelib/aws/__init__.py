"""AWS without its SDK: signed calls over a kept connection. It knows nothing of tickets."""
