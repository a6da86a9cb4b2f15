"""The embedded stack: real servers from wheels, the HTTP gateway and the event source, on one machine.

This file imports nothing: the emulator's own environment reads this package too.
"""
