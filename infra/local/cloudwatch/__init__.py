"""CloudWatch on one machine: metrics out of the parts' logs, and alarms, over its JSON protocol.

Why it is not the emulator's: docs/decisions/0018. It knows no ticket: which metrics there are, it learns from
the lines that carry them.
"""
