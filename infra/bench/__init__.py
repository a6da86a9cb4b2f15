"""Measurements: the limits of a machine, ours beside them, and the CPU that each part takes.

Called by `python -m infra bench`, some by hand too. It must not change what it measures: it uses the
service's own clients and handlers, and a stack that is started as `up` starts it.
"""
